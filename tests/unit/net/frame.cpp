// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <span>

#include <boost/test/unit_test.hpp>

#include <vmdsl/net/frame.hpp>

using namespace vmdsl;

namespace {

constexpr std::array<std::byte, 18> tagged{
    std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},  // to all
    std::byte{0x52}, std::byte{0x54}, std::byte{0x00}, std::byte{0x12}, std::byte{0x01}, std::byte{0xfe},  // from
    std::byte{0x81}, std::byte{0x00}, std::byte{0x00}, std::byte{0x07}, std::byte{0x86}, std::byte{0xdd},  // VLAN 7
};

static_assert(frame_view(tagged).destination().value() == 0xffffffffffffU);
static_assert(frame_view(tagged).source().value() == 0x5254001201feU);
static_assert(frame_view(tagged).ether_type() == 0x8100);

}  // namespace

BOOST_AUTO_TEST_SUITE(frame)

BOOST_AUTO_TEST_CASE(group_addresses_are_told_by_the_first_byte_on_the_wire) {
    const frame_view frame(tagged);
    BOOST_TEST(frame.destination().is_group());
    BOOST_TEST(!frame.source().is_group());
    const std::array multicast{std::byte{0x33}, std::byte{0x33}, std::byte{0},
                               std::byte{0},    std::byte{0},    std::byte{1}};
    BOOST_TEST(mac_address(multicast).is_group());
    const std::array last_byte_odd{std::byte{2}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{0}, std::byte{1}};
    BOOST_TEST(!mac_address(last_byte_odd).is_group());
    BOOST_TEST(!mac_address().is_group());
}

BOOST_AUTO_TEST_CASE(a_frame_without_a_whole_header_is_a_runt) {
    for (std::size_t size = 0; size != tagged.size(); ++size) {
        BOOST_TEST(frame_view(std::span(tagged).first(size)).is_runt() == (size < 14));
    }
    BOOST_TEST(frame_view().is_runt());
}

BOOST_AUTO_TEST_SUITE_END()
