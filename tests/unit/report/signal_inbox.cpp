// SPDX-License-Identifier: BSL-1.0
#include <csignal>

#include <boost/test/unit_test.hpp>

#include <vmdsl/report/signal_inbox.hpp>

BOOST_AUTO_TEST_SUITE(signal_inbox_)

BOOST_AUTO_TEST_CASE(signals_have_names) {
    BOOST_TEST(vmdsl::detail::signal_name(SIGSEGV) == "SIGSEGV (Segmentation fault)");
    BOOST_TEST(vmdsl::detail::signal_name(SIGKILL) == "SIGKILL (Killed)");
    BOOST_TEST(vmdsl::detail::signal_name(12345) == "signal 12345");
}

BOOST_AUTO_TEST_CASE(ends_are_described) {
    BOOST_TEST(vmdsl::detail::describe_end(SIGABRT) == "was ended by SIGABRT (Aborted)");
    BOOST_TEST(vmdsl::detail::describe_end(3 << 8) == "exited with code 3");
}

BOOST_AUTO_TEST_SUITE_END()
