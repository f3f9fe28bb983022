// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cstdint>
#include <deque>
#include <random>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/net/egress_queue.hpp>

using namespace vmdsl;

namespace {

using bytes = std::vector<std::byte>;

bytes of(std::size_t size, std::uint8_t content) {
    return bytes(size, std::byte{content});
}

bool push(egress_queue& queue, const bytes& frame) {
    return queue.push(frame_view(frame));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(egress_queue)

BOOST_AUTO_TEST_CASE(a_frame_gets_its_length_in_front_most_significant_byte_first) {
    vmdsl::egress_queue queue;
    BOOST_TEST(push(queue, of(0x10203, 9)));
    const auto pending = queue.pending();
    BOOST_TEST_REQUIRE(pending.size() == 4U + 0x10203U);
    BOOST_TEST((bytes(pending.begin(), pending.begin() + 5) ==
                bytes{std::byte{0}, std::byte{1}, std::byte{2}, std::byte{3}, std::byte{9}}));
}

BOOST_AUTO_TEST_CASE(what_is_written_is_what_was_pushed_however_little_the_reader_takes) {
    std::mt19937 random(5);
    vmdsl::egress_queue queue({.frames = 50});
    stream_splitter reader;
    std::deque<bytes> expected;
    std::size_t in_transit = 0;  // written bytes of the frame that the reader has not seen whole
    for (int step = 0; step != 20000; ++step) {
        if (random() % 2 == 0) {
            const bytes frame = of(1 + random() % 2000, static_cast<std::uint8_t>(random()));
            const bool has_room = queue.frames() < 50;
            BOOST_TEST_REQUIRE(push(queue, frame) == has_room);
            if (has_room) {
                expected.push_back(frame);
            }
            continue;
        }
        const auto pending = queue.pending();
        const std::size_t count = std::min<std::size_t>(random() % 5000, pending.size());
        const bytes written(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(count));
        queue.consumed(count);
        in_transit += count;
        reader.feed(written);
        while (const auto frame = reader.next()) {
            BOOST_TEST_REQUIRE(!expected.empty());
            BOOST_TEST_REQUIRE(std::equal(frame->bytes().begin(), frame->bytes().end(), expected.front().begin(),
                                          expected.front().end()));
            in_transit -= 4 + frame->size();
            expected.pop_front();
        }
        BOOST_TEST_REQUIRE(queue.frames() == expected.size());
        BOOST_TEST_REQUIRE(queue.inside_frame() == (in_transit != 0));
        BOOST_TEST_REQUIRE(queue.empty() == queue.pending().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_and_takes_again_once_a_frame_is_out) {
    vmdsl::egress_queue queue({.frames = 2});
    BOOST_TEST(push(queue, of(10, 1)));
    BOOST_TEST(push(queue, of(10, 2)));
    BOOST_TEST(!push(queue, of(10, 3)));
    queue.consumed(13);
    BOOST_TEST(queue.inside_frame());
    BOOST_TEST(!push(queue, of(10, 3)));
    queue.consumed(1);
    BOOST_TEST(!queue.inside_frame());
    BOOST_TEST(push(queue, of(10, 4)));
    BOOST_TEST(queue.frames() == 2U);
}

BOOST_AUTO_TEST_CASE(the_bytes_are_bounded_too) {
    vmdsl::egress_queue queue({.frames = 1000, .bytes = 100});
    BOOST_TEST(push(queue, of(60, 1)));
    BOOST_TEST(!push(queue, of(60, 2)));
    BOOST_TEST(push(queue, of(32, 3)));
    BOOST_TEST(!push(queue, of(1, 4)));
    BOOST_TEST(queue.pending().size() == 100U);
}

BOOST_AUTO_TEST_CASE(lengths_that_qemu_must_never_be_sent_are_refused) {
    vmdsl::egress_queue queue;
    BOOST_TEST(!queue.push(frame_view()));
    BOOST_TEST(!push(queue, of(largest_frame_bytes + 1, 1)));
    BOOST_TEST(queue.pending().empty());
    BOOST_TEST(push(queue, of(largest_frame_bytes, 1)));
}

BOOST_AUTO_TEST_CASE(clear_forgets_a_frame_that_is_half_written_too) {
    vmdsl::egress_queue queue;
    BOOST_TEST(push(queue, of(10, 1)));
    queue.consumed(7);
    queue.clear();
    BOOST_TEST(queue.empty());
    BOOST_TEST(queue.pending().empty());
    BOOST_TEST(!queue.inside_frame());
    BOOST_TEST(push(queue, of(10, 2)));
    BOOST_TEST(queue.pending().size() == 14U);
}

BOOST_AUTO_TEST_SUITE_END()
