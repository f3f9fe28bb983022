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

BOOST_AUTO_TEST_SUITE_END()
