// SPDX-License-Identifier: BSL-1.0
#include <chrono>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/deadline.hpp>

BOOST_AUTO_TEST_SUITE(deadline)

BOOST_AUTO_TEST_CASE(it_runs_on_the_steady_clock) {
    const auto before = std::chrono::steady_clock::now();
    const auto soon = vmdsl::deadline::in(std::chrono::hours(1));
    const auto after = std::chrono::steady_clock::now();
    BOOST_TEST((soon.moment() >= before + std::chrono::hours(1)));
    BOOST_TEST((soon.moment() <= after + std::chrono::hours(1)));
    BOOST_TEST(!soon.expired());
    BOOST_TEST((soon.remaining() <= std::chrono::hours(1)));
    BOOST_TEST((soon.remaining() > std::chrono::minutes(50)));
    BOOST_TEST(vmdsl::deadline::at(before).expired());
}

BOOST_AUTO_TEST_CASE(it_says_the_limit_that_was_asked_for) {
    using namespace std::chrono_literals;
    BOOST_TEST(vmdsl::deadline::in(4s).limit_text() == "within 4 s");
    BOOST_TEST(vmdsl::deadline::in(5min).limit_text() == "within 300 s");
    BOOST_TEST(vmdsl::deadline::in(300ms).limit_text() == "within 0.3 s");
    BOOST_TEST(vmdsl::deadline::in(-1s).limit_text() == "within 0 s");
    BOOST_TEST(vmdsl::deadline::never().limit_text() == "in time");
    BOOST_TEST(vmdsl::deadline::in(std::chrono::hours::max()).limit_text() == "in time");
    BOOST_TEST(earlier_of(vmdsl::deadline::in(9s), vmdsl::deadline::in(2s)).limit_text() == "within 2 s");
}

BOOST_AUTO_TEST_SUITE_END()
