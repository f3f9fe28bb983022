// SPDX-License-Identifier: BSL-1.0
#include <thread>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/case_clock.hpp>

using namespace vmdsl;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(case_clock_)

BOOST_AUTO_TEST_CASE(what_is_done_outside_is_no_part_of_the_case) {
    const auto begin = deadline::clock::now();
    case_clock::restart();
    const auto end = case_clock::end();
    case_clock::outside([] { std::this_thread::sleep_for(20ms); });
    BOOST_TEST((case_clock::end().moment() >= end.moment() + 20ms));
    BOOST_TEST((case_clock::elapsed() <= deadline::clock::now() - begin - 20ms));
}

BOOST_AUTO_TEST_SUITE_END()
