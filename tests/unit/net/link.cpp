// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <span>

#include <boost/test/unit_test.hpp>

#include <vmdsl/net/link.hpp>

using namespace vmdsl;

namespace {

constexpr std::array<std::byte, 60> content{};
const frame_view whole_frame(content);
const frame_view runt_frame(std::span<const std::byte>(content.data(), 13));

}  // namespace

BOOST_AUTO_TEST_SUITE(net_link)

BOOST_AUTO_TEST_CASE(a_cut_link_loses_and_counts_both_directions_until_it_is_healed) {
    link_state link;
    BOOST_TEST(!link.is_cut());
    BOOST_TEST((link.judge(link_direction::from_machine, whole_frame) == link_verdict::pass));
    link.cut();
    link.cut();
    BOOST_TEST(link.is_cut());
    BOOST_TEST((link.judge(link_direction::from_machine, whole_frame) == link_verdict::cut));
    BOOST_TEST((link.judge(link_direction::to_machine, whole_frame) == link_verdict::cut));
    BOOST_TEST((link.judge(link_direction::to_machine, whole_frame) == link_verdict::cut));
    link.heal();
    BOOST_TEST(!link.is_cut());
    BOOST_TEST((link.judge(link_direction::to_machine, whole_frame) == link_verdict::pass));
    BOOST_TEST((link.counters() == link_counters{{.cut = 1}, {.cut = 2}}));
}

BOOST_AUTO_TEST_CASE(a_runt_on_a_cut_link_is_lost_by_the_cut) {
    link_state link;
    BOOST_TEST((link.judge(link_direction::from_machine, runt_frame) == link_verdict::runt));
    link.cut();
    BOOST_TEST((link.judge(link_direction::from_machine, runt_frame) == link_verdict::cut));
    BOOST_TEST((link.counters() == link_counters{{.cut = 1, .runts = 1}, {}}));
}

BOOST_AUTO_TEST_CASE(each_fate_has_a_counter_of_its_own) {
    link_state link;
    link.count_forwarded(link_direction::from_machine, whole_frame);
    link.count_forwarded(link_direction::to_machine, whole_frame);
    link.count_forwarded(link_direction::to_machine, whole_frame);
    link.count_queue_drop();
    link.count_socket_drops(link_direction::to_machine, 3);
    link.count_socket_drops(link_direction::from_machine, 1);
    const link_counters expected{{.forwarded = 1, .bytes = 60, .socket_drops = 1},
                                 {.forwarded = 2, .bytes = 120, .queue_drops = 1, .socket_drops = 3}};
    BOOST_TEST((link.counters() == expected));
}

BOOST_AUTO_TEST_SUITE_END()
