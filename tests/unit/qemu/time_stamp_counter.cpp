// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/qemu/time_stamp_counter.hpp>

BOOST_AUTO_TEST_SUITE(time_stamp_counter_test)

BOOST_AUTO_TEST_CASE(the_rate_is_the_same_each_time_and_on_a_busy_host) {
    const auto quiet = static_cast<double>(vmdsl::measure_tsc_khz());
    if (quiet == 0) {
        return;  // this processor has none
    }
    BOOST_TEST_REQUIRE(quiet > 100'000.0);
    std::atomic<bool> enough = false;
    std::vector<std::jthread> load(2 * std::thread::hardware_concurrency());
    for (auto& thread : load) {
        thread = std::jthread([&] {
            while (!enough) {
            }
        });
    }
    for (int i = 0; i != 5; ++i) {
        BOOST_TEST(static_cast<double>(vmdsl::measure_tsc_khz()) == quiet, boost::test_tools::tolerance(0.001));
    }
    enough = true;
    BOOST_TEST(vmdsl::tsc_khz() == vmdsl::tsc_khz());
}

BOOST_AUTO_TEST_SUITE_END()
