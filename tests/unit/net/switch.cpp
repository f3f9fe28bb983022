// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/net/switch.hpp>

using namespace vmdsl;

namespace {

using bytes = std::vector<std::byte>;
using ports = std::vector<switch_port>;

constexpr std::uint64_t everybody = 0xffffffffffffU;

bytes a_frame(std::uint64_t to, std::uint64_t from, std::size_t size = 60) {
    bytes frame(std::max<std::size_t>(size, 12));
    for (std::size_t i = 6; i-- != 0; to >>= 8U, from >>= 8U) {
        frame[i] = static_cast<std::byte>(to);
        frame[6 + i] = static_cast<std::byte>(from);
    }
    frame.resize(size);
    return frame;
}

struct four_ports {
    four_ports() {
        for (const switch_port port : {10U, 20U, 30U, 40U}) {
            lan.add_port(port);
        }
    }

    ports decide(switch_port ingress, const bytes& frame) {
        const auto egress = lan.decide(ingress, frame_view(frame));
        ports sorted(egress.begin(), egress.end());
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }

    learning_switch lan;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(net_switch, four_ports)

BOOST_AUTO_TEST_CASE(an_unknown_destination_is_flooded_and_a_known_one_is_not) {
    BOOST_TEST(decide(10, a_frame(2, 4)) == (ports{20, 30, 40}), boost::test_tools::per_element());
    BOOST_TEST(decide(20, a_frame(4, 2)) == (ports{10}), boost::test_tools::per_element());
    BOOST_TEST(decide(10, a_frame(2, 4)) == (ports{20}), boost::test_tools::per_element());
    BOOST_TEST((lan.counters() == switch_counters{.unicast = 2, .flooded = 1}));
}

BOOST_AUTO_TEST_CASE(a_group_address_is_always_flooded_and_never_learnt) {
    for (const std::uint64_t group : {everybody, std::uint64_t{0x333300000001}, std::uint64_t{0x0180c200000e}}) {
        BOOST_TEST(decide(30, a_frame(group, 6)) == (ports{10, 20, 40}), boost::test_tools::per_element());
        BOOST_TEST(decide(20, a_frame(8, group)) == (ports{10, 30, 40}), boost::test_tools::per_element());
    }
    BOOST_TEST(lan.stations() == 1U);
    BOOST_TEST(decide(40, a_frame(everybody, 2)) == (ports{10, 20, 30}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_destination_on_the_same_port_goes_nowhere) {
    (void)decide(10, a_frame(everybody, 2));
    BOOST_TEST(decide(10, a_frame(2, 4)).empty());
    BOOST_TEST(lan.counters().filtered == 1U);
}

BOOST_AUTO_TEST_CASE(a_station_moves_to_where_it_was_heard_last) {
    (void)decide(10, a_frame(everybody, 2));
    (void)decide(20, a_frame(everybody, 2));
    BOOST_TEST(decide(30, a_frame(2, 4)) == (ports{20}), boost::test_tools::per_element());
    (void)decide(10, a_frame(everybody, 2));
    BOOST_TEST(decide(30, a_frame(2, 4)) == (ports{10}), boost::test_tools::per_element());
    BOOST_TEST(lan.counters().moves == 2U);
}

BOOST_AUTO_TEST_CASE(runts_are_dropped_and_counted_and_short_frames_are_not) {
    for (std::size_t size = 0; size != 14; ++size) {
        BOOST_TEST(decide(10, a_frame(everybody, 2, size)).empty());
    }
    BOOST_TEST(lan.counters().runts == 14U);
    BOOST_TEST(lan.stations() == 0U);
    for (const std::size_t size : {14U, 20U, 42U}) {
        BOOST_TEST(decide(10, a_frame(everybody, 2, size)).size() == 3U);
    }
}

BOOST_AUTO_TEST_CASE(a_removed_port_gets_nothing_and_what_was_learnt_of_it_is_forgotten) {
    (void)decide(10, a_frame(everybody, 2));
    (void)decide(20, a_frame(everybody, 4));
    lan.remove_port(10);
    lan.remove_port(99);
    BOOST_TEST(decide(20, a_frame(2, 4)) == (ports{30, 40}), boost::test_tools::per_element());
    BOOST_TEST(lan.stations() == 1U);
    lan.add_port(10);
    lan.add_port(10);
    BOOST_TEST(decide(20, a_frame(2, 4)) == (ports{10, 30, 40}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(flushing_a_port_leaves_the_others_stations) {
    (void)decide(10, a_frame(everybody, 2));
    (void)decide(20, a_frame(everybody, 4));
    lan.flush(10);
    BOOST_TEST(decide(30, a_frame(2, 6)).size() == 3U);
    BOOST_TEST(decide(30, a_frame(4, 6)) == (ports{20}), boost::test_tools::per_element());
    lan.flush();
    BOOST_TEST(lan.stations() == 0U);
}

BOOST_AUTO_TEST_CASE(a_frame_from_no_port_of_the_switch_teaches_it_nothing) {
    BOOST_TEST(decide(77, a_frame(everybody, 2)).size() == 4U);
    BOOST_TEST(lan.stations() == 0U);
    learning_switch without_ports;
    const auto frame = a_frame(2, 4);
    BOOST_TEST(without_ports.decide(1, frame_view(frame)).empty());
}

BOOST_AUTO_TEST_CASE(the_table_is_bounded) {
    learning_switch small(8);
    small.add_port(1);
    small.add_port(2);
    for (std::uint64_t i = 0; i != 100; ++i) {
        const auto frame = a_frame(everybody, 2 * i);
        (void)small.decide(1, frame_view(frame));
    }
    BOOST_TEST(small.stations() == 8U);
    BOOST_TEST(small.counters().evictions == 92U);
}

BOOST_AUTO_TEST_SUITE_END()
