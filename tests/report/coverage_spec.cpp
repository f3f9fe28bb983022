// SPDX-License-Identifier: BSL-1.0
// A spec with a machine that counts coverage, as far as the supervisor knows: there is none. Some of its workers die.
#include <csignal>
#include <string>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/detail/machine_coverage.hpp>

namespace {

struct counting_machine {
    vmdsl::detail::machine_coverage web{"web", {{"/nowhere", "/coverage/own"}}};

    counting_machine() { web.begin(); }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(ends_in_order, counting_machine) {
    BOOST_TEST(true);
}

BOOST_FIXTURE_TEST_CASE(crashes, counting_machine) {
    ::raise(SIGKILL);
}

BOOST_AUTO_TEST_CASE(crashes_without_machines) {
    ::raise(SIGKILL);
}

BOOST_FIXTURE_TEST_CASE(crashes_when_all_is_collected, counting_machine) {
    web.end();
    ::raise(SIGKILL);
}

BOOST_FIXTURE_TEST_CASE(hangs, counting_machine) {
    for (;;) {
        ::pause();
    }
}

BOOST_FIXTURE_TEST_CASE(hangs_after_that, counting_machine, *boost::unit_test::disabled()) {
    web.lose("its power was taken away");
    for (;;) {
        ::pause();
    }
}

BOOST_FIXTURE_TEST_CASE(loses_what_it_counted, counting_machine) {
    web.lose("a guest's \x1B[2J words");
}
