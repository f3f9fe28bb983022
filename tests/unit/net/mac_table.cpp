// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <list>
#include <random>

#include <boost/test/unit_test.hpp>

#include <vmdsl/net/mac_table.hpp>

using namespace vmdsl;

namespace {

mac_address station(std::uint64_t number) {
    std::array<std::byte, 6> bytes{};
    for (std::size_t i = 6; i-- != 0; number >>= 8U) {
        bytes[i] = static_cast<std::byte>(number);
    }
    return mac_address(bytes);
}

/// The obvious way to do it: a list, newest first.
class slow_table {
public:
    explicit slow_table(std::size_t capacity) : capacity_(capacity) {}

    mac_table::outcome learn(mac_address who, switch_port port) {
        const auto found = std::find_if(list_.begin(), list_.end(), [&](const auto& e) { return e.first == who; });
        auto result = mac_table::outcome::added;
        if (found != list_.end()) {
            result = found->second == port ? mac_table::outcome::known : mac_table::outcome::moved;
            list_.erase(found);
        } else if (list_.size() == capacity_) {
            list_.pop_back();
            result = mac_table::outcome::evicted;
        }
        list_.emplace_front(who, port);
        return result;
    }
    std::optional<switch_port> find(mac_address who) const {
        const auto found = std::find_if(list_.begin(), list_.end(), [&](const auto& e) { return e.first == who; });
        return found == list_.end() ? std::nullopt : std::optional(found->second);
    }
    void forget(switch_port port) {
        list_.remove_if([&](const auto& e) { return e.second == port; });
    }
    void clear() { list_.clear(); }
    std::size_t size() const { return list_.size(); }

private:
    std::size_t capacity_;
    std::list<std::pair<mac_address, switch_port>> list_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(mac_table)

BOOST_AUTO_TEST_CASE(the_station_that_was_silent_longest_goes) {
    vmdsl::mac_table table(3);
    for (const unsigned i : {1U, 2U, 3U}) {
        BOOST_TEST((table.learn(station(i), i) == vmdsl::mac_table::outcome::added));
    }
    BOOST_TEST((table.learn(station(1), 1) == vmdsl::mac_table::outcome::known));
    BOOST_TEST((table.learn(station(4), 4) == vmdsl::mac_table::outcome::evicted));
    BOOST_TEST(table.size() == 3U);
    BOOST_TEST(!table.find(station(2)));
    BOOST_TEST(table.find(station(1)).value() == 1U);
    BOOST_TEST((table.learn(station(1), 9) == vmdsl::mac_table::outcome::moved));
    BOOST_TEST(table.find(station(1)).value() == 9U);
}

BOOST_AUTO_TEST_CASE(a_capacity_of_nothing_holds_one) {
    vmdsl::mac_table table(0);
    table.learn(station(1), 1);
    BOOST_TEST(table.find(station(1)).value() == 1U);
}

BOOST_AUTO_TEST_CASE(behaves_as_a_plain_list_under_any_sequence_of_calls) {
    for (const std::size_t capacity : {1U, 2U, 7U, 64U}) {
        std::mt19937 random(20240229);
        vmdsl::mac_table table(capacity);
        slow_table expected(capacity);
        for (int step = 0; step != 20000; ++step) {
            const auto who = station(random() % (2 * capacity + 1));
            const auto port = static_cast<switch_port>(random() % 4);
            const auto what = random() % 100;
            if (what < 60) {
                BOOST_TEST_REQUIRE((table.learn(who, port) == expected.learn(who, port)));
            } else if (what < 97) {
                BOOST_TEST_REQUIRE((table.find(who) == expected.find(who)));
            } else if (what < 99) {
                table.forget(port);
                expected.forget(port);
            } else {
                table.clear();
                expected.clear();
            }
            BOOST_TEST_REQUIRE(table.size() == expected.size());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
