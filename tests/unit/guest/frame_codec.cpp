// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/frame_codec.hpp>

namespace {

using namespace vmdsl;
using bytes = std::vector<std::byte>;

struct seen_frame {
    wire::header header;
    bytes payload;
};

struct seen {
    std::vector<seen_frame> frames;
    std::vector<decode_problem> problems;
    std::size_t junk = 0;
};

bytes as_bytes(std::string_view text) {
    const auto span = std::as_bytes(std::span{text});
    return {span.begin(), span.end()};
}

void drain(frame_decoder& decoder, seen& into) {
    for (;;) {
        const auto found = decoder.next();
        if (found.status == decode_status::need_more) {
            return;
        }
        if (found.status == decode_status::frame) {
            into.frames.push_back({found.header, {found.payload.begin(), found.payload.end()}});
            continue;
        }
        BOOST_TEST(found.skipped > 0U);
        into.problems.push_back(found.problem);
        into.junk += found.skipped;
    }
}

/// Everything that a decoder makes of these bytes, received in pieces of `piece` bytes.
seen decode(std::span<const std::byte> input, std::size_t piece, frame_decoder& decoder) {
    seen result;
    while (!input.empty()) {
        const auto taken = decoder.feed(input.first(std::min(piece, input.size())));
        BOOST_REQUIRE(taken > 0U);
        input = input.subspan(taken);
        drain(decoder, result);
    }
    return result;
}

seen decode(std::span<const std::byte> input, std::size_t piece = 4096) {
    frame_decoder decoder;
    return decode(input, piece, decoder);
}

bytes random_bytes(std::mt19937& random, std::size_t count) {
    bytes result(count);
    std::ranges::generate(result, [&] { return static_cast<std::byte>(random() & 0xff); });
    return result;
}

bytes sample_frame(std::uint32_t stream = 7, std::string_view text = "hello", std::uint32_t epoch = 3) {
    frame_encoder encoder;
    encoder.set_epoch(epoch);
    bytes out;
    encoder.frame(out, wire::frame_type::data, stream, as_bytes(text), wire::channel::errors);
    return out;
}

void check_is_sample(const seen_frame& frame) {
    BOOST_TEST(frame.header.stream == 7U);
    BOOST_TEST(frame.header.epoch == 3U);
    BOOST_TEST((frame.header.type == wire::frame_type::data));
    BOOST_TEST((frame.header.channel == wire::channel::errors));
    BOOST_TEST((frame.payload == as_bytes("hello")));
}

BOOST_AUTO_TEST_SUITE(frame_codec)

BOOST_AUTO_TEST_CASE(frames_come_back_however_the_bytes_are_cut) {
    auto input = sample_frame();
    const auto empty = sample_frame(7, "");
    input.insert(input.end(), empty.begin(), empty.end());
    const auto second = sample_frame();
    input.insert(input.end(), second.begin(), second.end());
    for (std::size_t piece = 1; piece <= input.size(); ++piece) {
        const auto result = decode(input, piece);
        BOOST_REQUIRE_EQUAL(result.frames.size(), 3U);
        BOOST_TEST(result.junk == 0U);
        check_is_sample(result.frames[0]);
        BOOST_TEST(result.frames[1].payload.empty());
        check_is_sample(result.frames[2]);
    }
}

BOOST_AUTO_TEST_CASE(the_largest_frame_fits) {
    frame_encoder encoder;
    std::mt19937 random{1};
    const auto payload = random_bytes(random, wire::max_payload);
    bytes input;
    encoder.frame(input, wire::frame_type::data, 1, payload);
    BOOST_TEST(input.size() == wire::max_frame);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{65536}, input.size()}) {
        const auto result = decode(input, piece);
        BOOST_REQUIRE_EQUAL(result.frames.size(), 1U);
        BOOST_TEST((result.frames[0].payload == payload));
    }
}

BOOST_AUTO_TEST_CASE(a_payload_over_the_limit_is_refused_by_the_encoder) {
    frame_encoder encoder;
    bytes out;
    payload_builder payload;
    payload.text(wire::tag::shell_text, std::string(wire::max_payload, 'x'));
    BOOST_TEST(!payload.fits());
    BOOST_CHECK_THROW(encoder.frame(out, wire::frame_type::open, 1, payload), usage_error);
    BOOST_TEST(out.empty());
}

BOOST_AUTO_TEST_CASE(data_is_split_into_frames) {
    frame_encoder encoder;
    std::mt19937 random{2};
    const auto payload = random_bytes(random, 2 * wire::max_payload + 5);
    bytes out;
    encoder.data(out, 9, payload);
    const auto result = decode(out, 1000);
    BOOST_REQUIRE_EQUAL(result.frames.size(), 3U);
    bytes joined;
    for (const auto& frame : result.frames) {
        BOOST_TEST((frame.header.type == wire::frame_type::data));
        joined.insert(joined.end(), frame.payload.begin(), frame.payload.end());
    }
    BOOST_TEST((joined == payload));
    bytes nothing;
    encoder.data(nothing, 9, {});
    BOOST_TEST(nothing.empty());
}

BOOST_AUTO_TEST_CASE(junk_is_reported_and_skipped) {
    auto input = as_bytes("Debian GNU/Linux VMD VMD1 and more");
    const auto length = input.size();
    const auto frame = sample_frame();
    input.insert(input.end(), frame.begin(), frame.end());
    for (std::size_t piece = 1; piece <= input.size(); ++piece) {
        const auto result = decode(input, piece);
        BOOST_REQUIRE_EQUAL(result.frames.size(), 1U);
        check_is_sample(result.frames[0]);
        BOOST_TEST(result.junk == length);
        for (const auto problem : result.problems) {
            BOOST_TEST((problem == decode_problem::not_a_header));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_oversize_length_is_reported_and_skipped) {
    wire::header header{wire::max_payload + 1, 1, 0, wire::frame_type::data, wire::channel::main};
    const auto packed = wire::pack(header);
    bytes input{packed.begin(), packed.end()};
    const auto frame = sample_frame();
    input.insert(input.end(), frame.begin(), frame.end());
    const auto result = decode(input);
    BOOST_REQUIRE_EQUAL(result.frames.size(), 1U);
    check_is_sample(result.frames[0]);
    BOOST_REQUIRE(!result.problems.empty());
    BOOST_TEST((result.problems.front() == decode_problem::oversize));
}

BOOST_AUTO_TEST_CASE(a_cut_frame_filled_up_with_padding_is_never_delivered) {
    const auto frame = sample_frame();
    for (std::size_t kept = 1; kept < frame.size(); ++kept) {
        bytes input{frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(kept)};
        frame_encoder encoder;
        encoder.resync_padding(input);
        const auto whole = sample_frame();
        input.insert(input.end(), whole.begin(), whole.end());
        const auto result = decode(input);
        BOOST_TEST_CONTEXT("cut after " << kept) {
            BOOST_REQUIRE_EQUAL(result.frames.size(), 1U);
            check_is_sample(result.frames[0]);
        }
    }
}

BOOST_AUTO_TEST_CASE(zero_bytes_between_frames_are_no_junk) {
    bytes input(1000);
    const auto frame = sample_frame();
    input.insert(input.end(), frame.begin(), frame.end());
    input.resize(input.size() + 1000);
    frame_decoder decoder;
    const auto result = decode(input, 77, decoder);
    BOOST_REQUIRE_EQUAL(result.frames.size(), 1U);
    BOOST_TEST(result.junk == 0U);
    BOOST_TEST(decoder.skipped_bytes() == 0U);
}

BOOST_AUTO_TEST_CASE(scanning_skips_to_the_wanted_frame) {
    frame_encoder encoder;
    bytes input;
    const auto old = sample_frame();
    input.insert(input.end(), old.begin() + 9, old.end());
    encoder.set_epoch(3);
    encoder.frame(input, wire::frame_type::resumed, 0);
    encoder.frame(input, wire::frame_type::hello, 0);
    const auto cut = sample_frame(7, std::string(1000, 'x'));
    input.insert(input.end(), cut.begin(), cut.begin() + 500);
    encoder.set_epoch(4);
    encoder.frame(input, wire::frame_type::resumed, 0, payload_builder{}.u32(wire::tag::stream_id, 7));
    encoder.frame(input, wire::frame_type::pong, 0);
    for (std::size_t piece = 1; piece <= input.size(); ++piece) {
        frame_decoder decoder;
        decoder.scan_for(wire::frame_type::resumed, 4);
        BOOST_TEST(decoder.scanning());
        const auto result = decode(input, piece, decoder);
        BOOST_TEST(!decoder.scanning());
        BOOST_TEST(result.problems.empty());
        BOOST_REQUIRE_EQUAL(result.frames.size(), 2U);
        BOOST_TEST((result.frames[0].header.type == wire::frame_type::resumed));
        BOOST_TEST(result.frames[0].header.epoch == 4U);
        BOOST_TEST((result.frames[1].header.type == wire::frame_type::pong));
        BOOST_TEST(decoder.skipped_bytes() > 500U);
    }
}

BOOST_AUTO_TEST_CASE(reset_forgets_half_a_frame) {
    frame_decoder decoder;
    const auto frame = sample_frame();
    BOOST_TEST(decoder.feed(std::span{frame}.first(10)) == 10U);
    BOOST_TEST((decoder.next().status == decode_status::need_more));
    decoder.reset();
    const auto result = decode(frame, 4096, decoder);
    BOOST_REQUIRE_EQUAL(result.frames.size(), 1U);
    BOOST_TEST(result.junk == 0U);
}

BOOST_AUTO_TEST_CASE(an_undrained_decoder_takes_no_more_than_it_has_room_for) {
    frame_decoder decoder;
    const bytes input(1024 * 1024, std::byte{'x'});
    const auto taken = decoder.feed(input);
    BOOST_TEST(taken < input.size());
    BOOST_TEST(taken >= wire::max_frame);
    BOOST_TEST(decoder.feed(input) == 0U);
    BOOST_TEST(decoder.prepare().empty());
    decoder.commit(10);
    seen result;
    drain(decoder, result);
    BOOST_TEST(result.junk == taken);
    BOOST_TEST(decoder.prepare().size() >= wire::max_frame);
}

BOOST_AUTO_TEST_CASE(fields_come_back) {
    const auto payload = payload_builder{}
                             .text(wire::tag::shell_text, "true")
                             .u32(wire::tag::kind, 1)
                             .u64(wire::tag::wall_time, 1ULL << 40)
                             .flag(wire::tag::no_input)
                             .bytes(wire::tag::entropy, as_bytes(std::string_view{"\0\1", 2}));
    auto rest = payload.view();
    std::vector<std::pair<wire::tag, std::size_t>> found;
    for (wire::field field; wire::next_field(rest, field);) {
        found.emplace_back(field.tag, field.value.size());
    }
    BOOST_TEST(rest.empty());
    const std::vector<std::pair<wire::tag, std::size_t>> expected{{wire::tag::shell_text, 4U},
                                                                  {wire::tag::kind, 4U},
                                                                  {wire::tag::wall_time, 8U},
                                                                  {wire::tag::no_input, 0U},
                                                                  {wire::tag::entropy, 2U}};
    BOOST_TEST((found == expected));
    BOOST_TEST(wire::find_field(payload.view(), wire::tag::shell_text).text() == "true");
    BOOST_TEST(wire::find_field(payload.view(), wire::tag::wall_time).number() == 1ULL << 40);
}

BOOST_AUTO_TEST_CASE(hostile_bytes_neither_crash_nor_hide_later_frames) {
    std::mt19937 random{20240607};
    for (int round = 0; round < 2000; ++round) {
        bytes input;
        std::size_t whole = 0;
        for (int part = 0; part < 6; ++part) {
            const auto frame = sample_frame(7, std::string(random() % 300, 'p'));
            switch (random() % 4) {
                case 0:
                    input.insert(input.end(), frame.begin(), frame.end());
                    break;
                case 1: {
                    const auto noise = random_bytes(random, random() % 200);
                    input.insert(input.end(), noise.begin(), noise.end());
                    break;
                }
                case 2: {
                    auto damaged = frame;
                    damaged[random() % damaged.size()] ^= static_cast<std::byte>(1U << (random() % 8));
                    input.insert(input.end(), damaged.begin(), damaged.end());
                    break;
                }
                default:
                    input.insert(input.end(), frame.begin(),
                                 frame.begin() + static_cast<std::ptrdiff_t>(random() % frame.size()));
            }
        }
        frame_encoder encoder;
        encoder.resync_padding(input);
        const auto last = sample_frame();
        input.insert(input.end(), last.begin(), last.end());
        const auto result = decode(input, 1 + random() % 500);
        BOOST_REQUIRE(!result.frames.empty());
        check_is_sample(result.frames.back());
        for (const auto& frame : result.frames) {
            whole += frame.payload.size() + wire::header_size + wire::trailer_size;
        }
        BOOST_REQUIRE(whole + result.junk <= input.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
