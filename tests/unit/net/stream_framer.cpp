// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/net/stream_framer.hpp>

using namespace vmdsl;

namespace {

using bytes = std::vector<std::byte>;

void append_header(bytes& out, std::uint32_t length) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        out.push_back(static_cast<std::byte>(length >> shift));
    }
}

void append_frame(bytes& out, std::size_t length, std::uint8_t content) {
    append_header(out, static_cast<std::uint32_t>(length));
    out.insert(out.end(), length, std::byte{content});
}

/// Feeds one piece, from memory that is gone afterwards, and appends the frames that it completed.
void feed(stream_splitter& splitter, std::span<const std::byte> piece, std::vector<bytes>& frames) {
    const bytes copy(piece.begin(), piece.end());
    splitter.feed(copy);
    while (const auto frame = splitter.next()) {
        frames.emplace_back(frame->bytes().begin(), frame->bytes().end());
    }
}

bytes five_frames() {
    bytes stream;
    append_frame(stream, 1, 1);
    append_frame(stream, 60, 2);
    append_frame(stream, 14, 3);
    append_frame(stream, 300, 4);
    append_frame(stream, 2, 5);
    return stream;
}

bool are_the_five(const std::vector<bytes>& frames) {
    const std::vector<bytes> expected{bytes(1, std::byte{1}), bytes(60, std::byte{2}), bytes(14, std::byte{3}),
                                      bytes(300, std::byte{4}), bytes(2, std::byte{5})};
    return frames == expected;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stream_framer)

BOOST_AUTO_TEST_CASE(frames_come_out_whole_wherever_the_stream_is_cut_in_two) {
    const bytes stream = five_frames();
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        stream_splitter splitter;
        std::vector<bytes> frames;
        feed(splitter, std::span(stream).first(cut), frames);
        feed(splitter, std::span(stream).subspan(cut), frames);
        BOOST_TEST_REQUIRE(are_the_five(frames));
        BOOST_TEST_REQUIRE(splitter.partial_bytes() == 0U);
        BOOST_TEST_REQUIRE((splitter.violation() == framing_error::none));
    }
}

BOOST_AUTO_TEST_CASE(frames_come_out_whole_however_small_the_pieces_are) {
    const bytes stream = five_frames();
    for (std::size_t step = 1; step != 40; ++step) {
        stream_splitter splitter;
        std::vector<bytes> frames;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            feed(splitter, std::span(stream).subspan(at, std::min(step, stream.size() - at)), frames);
        }
        BOOST_TEST_REQUIRE(are_the_five(frames));
    }
}

BOOST_AUTO_TEST_CASE(an_incomplete_frame_is_kept_and_reported) {
    const bytes stream = five_frames();
    stream_splitter splitter;
    std::vector<bytes> frames;
    feed(splitter, std::span(stream).first(7), frames);
    BOOST_TEST(frames.size() == 1U);
    BOOST_TEST(splitter.partial_bytes() == 2U);
    feed(splitter, std::span(stream).subspan(7, 10), frames);
    BOOST_TEST(splitter.partial_bytes() == 12U);
    feed(splitter, {}, frames);
    BOOST_TEST(splitter.partial_bytes() == 12U);
    feed(splitter, std::span(stream).subspan(17), frames);
    BOOST_TEST(are_the_five(frames));
}

BOOST_AUTO_TEST_CASE(the_longest_frame_passes_and_one_byte_more_breaks_the_framing) {
    bytes stream;
    append_frame(stream, 69632, 7);
    append_header(stream, 69633);
    append_frame(stream, 60, 1);
    stream_splitter splitter;
    std::vector<bytes> frames;
    feed(splitter, stream, frames);
    BOOST_TEST_REQUIRE(frames.size() == 1U);
    BOOST_TEST(frames[0].size() == 69632U);
    BOOST_TEST((splitter.violation() == framing_error::oversized));
    feed(splitter, five_frames(), frames);
    BOOST_TEST(frames.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_frame_of_no_bytes_breaks_the_framing_in_one_piece_or_byte_by_byte) {
    bytes stream;
    append_frame(stream, 20, 7);
    append_header(stream, 0);
    append_frame(stream, 60, 1);
    for (const std::size_t step : {std::size_t{1}, std::size_t{3}, stream.size()}) {
        stream_splitter splitter;
        std::vector<bytes> frames;
        for (std::size_t at = 0; at < stream.size(); at += step) {
            feed(splitter, std::span(stream).subspan(at, std::min(step, stream.size() - at)), frames);
        }
        BOOST_TEST(frames.size() == 1U);
        BOOST_TEST((splitter.violation() == framing_error::zero_length));
    }
}

BOOST_AUTO_TEST_CASE(hostile_bytes_never_yield_a_frame_of_a_forbidden_length) {
    std::mt19937 random(7);
    for (int round = 0; round != 3000; ++round) {
        bytes stream;
        for (int part = 0; part != 5; ++part) {
            append_header(stream, static_cast<std::uint32_t>(random() % 4 == 0 ? random() : random() % 70000));
            stream.resize(stream.size() + random() % 300, static_cast<std::byte>(random()));
        }
        stream_splitter splitter;
        std::size_t got = 0;
        for (std::size_t at = 0; at < stream.size();) {
            const std::size_t step = std::min<std::size_t>(1 + random() % 400, stream.size() - at);
            std::vector<bytes> frames;
            feed(splitter, std::span(stream).subspan(at, step), frames);
            for (const bytes& frame : frames) {
                BOOST_TEST_REQUIRE(is_frame_length(frame.size()));
                got += frame.size() + 4;
            }
            at += step;
            BOOST_TEST_REQUIRE(got + splitter.partial_bytes() <= at);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
