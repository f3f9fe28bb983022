// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/wire.hpp>

namespace {

using namespace vmdsl;

constexpr wire::header sample{65536, 0x01020304, 0xfffffffe, wire::frame_type::credit, wire::channel::errors};

// What is in the bytes is what a peer of another build reads: it may not change unnoticed.
static_assert(wire::pack(sample)[0] == std::byte{'V'} && wire::pack(sample)[3] == std::byte{'1'});
static_assert(wire::get32(wire::pack(sample).data() + 4) == 65536);
static_assert(wire::get32(wire::pack(sample).data() + 8) == 0x01020304);
static_assert(wire::get32(wire::pack(sample).data() + 12) == 0xfffffffe);
static_assert(wire::get16(wire::pack(sample).data() + 16) == 20);
static_assert(wire::get16(wire::pack(sample).data() + 18) == 1);
static_assert(wire::get32(wire::trailer_of(wire::pack(sample)).data()) ==
              wire::header_check(wire::pack(sample).data()));
static_assert(wire::max_frame == 24 + 65536 + 4);

constexpr bool round_trips(const wire::header& header) {
    const auto packed = wire::pack(header);
    wire::header out;
    return wire::unpack(packed, out) && out.length == header.length && out.stream == header.stream &&
           out.epoch == header.epoch && out.type == header.type && out.channel == header.channel;
}
static_assert(round_trips(sample));
static_assert(!round_trips({65537, 0, 0, wire::frame_type::data, wire::channel::main}));

BOOST_AUTO_TEST_SUITE(wire_format)

BOOST_AUTO_TEST_CASE(every_flipped_bit_of_a_header_is_noticed) {
    const auto packed = wire::pack(sample);
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        auto damaged = packed;
        damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        wire::header out;
        BOOST_TEST(!wire::unpack(damaged, out));
    }
}

BOOST_AUTO_TEST_CASE(numbers_come_back) {
    std::array<std::byte, 8> at{};
    wire::put64(at.data(), 0x0102030405060708);
    BOOST_TEST(wire::get64(at.data()) == 0x0102030405060708U);
    BOOST_TEST((at[0] == std::byte{8}));
    wire::put16(at.data(), 0xabcd);
    BOOST_TEST(wire::get16(at.data()) == 0xabcd);
}

BOOST_AUTO_TEST_CASE(a_field_longer_than_the_payload_ends_it) {
    std::array<std::byte, 10> payload{};
    wire::put16(payload.data(), static_cast<std::uint16_t>(wire::tag::path));
    for (const std::uint32_t length : {5U, 0xffffffffU, 0xfffffffaU, 0x80000000U}) {
        wire::put32(payload.data() + 2, length);
        std::span<const std::byte> rest{payload};
        wire::field field;
        BOOST_TEST(!wire::next_field(rest, field));
        BOOST_TEST(rest.size() == payload.size());
        BOOST_TEST(!wire::has_field(payload, wire::tag::path));
    }
    wire::put32(payload.data() + 2, 4);
    BOOST_TEST(wire::has_field(payload, wire::tag::path));
    BOOST_TEST(wire::find_field(payload, wire::tag::path).value.size() == 4U);
    BOOST_TEST(wire::find_field(payload, wire::tag::mode).value.empty());
}

BOOST_AUTO_TEST_CASE(a_number_of_another_size_is_zero) {
    const std::array<std::byte, 5> five{std::byte{1}};
    BOOST_TEST((wire::field{wire::tag::size, five}.number()) == 0U);
    BOOST_TEST((wire::field{wire::tag::size, std::span{five}.first<4>()}.number()) == 1U);
}

BOOST_AUTO_TEST_CASE(random_payloads_never_leave_their_bounds) {
    std::mt19937 random{7};
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::byte> payload(random() % 64);
        for (auto& b : payload) {
            b = static_cast<std::byte>(random() % 8);
        }
        std::span<const std::byte> rest{payload};
        std::size_t sum = 0;
        for (wire::field field; wire::next_field(rest, field);) {
            sum += wire::field_header_size + field.value.size();
        }
        BOOST_REQUIRE_EQUAL(sum + rest.size(), payload.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
