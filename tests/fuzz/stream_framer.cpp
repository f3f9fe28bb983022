// SPDX-License-Identifier: BSL-1.0
// What a network card sends, whole and in pieces, and once more through the queue to another card.
#include <cstdint>
#include <vector>

#include <vmdsl/net/egress_queue.hpp>
#include <vmdsl/net/stream_framer.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

using namespace vmdsl;
using frame_bytes = std::vector<std::byte>;

std::vector<std::byte> make_stream(fuzz::input& input) {
    std::vector<std::byte> made;
    while (!input.empty()) {
        const auto decision = input.byte();
        const auto text = input.bytes(decision >> 2U);
        std::size_t length = text.size();
        switch (decision & 3U) {
            case 0:
                made.insert(made.end(), text.begin(), text.end());  // what is no frame
                continue;
            case 1:
                length = input.number();
                break;
            case 2:
                length = input.number() * 3U;  // too long, from time to time
                break;
            default:
                break;
        }
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            made.push_back(static_cast<std::byte>(length >> shift));
        }
        made.insert(made.end(), text.begin(), text.end());
        made.resize(made.size() + (length > text.size() && length <= 70000 ? length - text.size() : 0));
    }
    return made;
}

struct result {
    std::vector<frame_bytes> frames;
    framing_error violation = framing_error::none;
};

result split(std::span<const std::byte> bytes, std::size_t piece) {
    result found;
    stream_splitter splitter;
    while (!bytes.empty()) {
        const auto next = bytes.first(std::min(piece, bytes.size()));
        bytes = bytes.subspan(next.size());
        splitter.feed(next);
        while (const auto frame = splitter.next()) {
            fuzz::require(frame->size() >= 1 && frame->size() <= largest_frame_bytes, "a frame has a frame's length");
            found.frames.emplace_back(frame->bytes().begin(), frame->bytes().end());
        }
        fuzz::require(splitter.partial_bytes() < largest_frame_bytes + stream_header_bytes,
                      "one frame is kept at most");
    }
    found.violation = splitter.violation();
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const std::size_t piece = 1U + input.number() % 4000U;
    const std::size_t taken = 1U + input.number() % 4000U;
    const auto bytes = make_stream(input);
    const auto whole = split(bytes, bytes.size() + 1);
    const auto pieces = split(bytes, piece);
    fuzz::require(whole.frames == pieces.frames, "the pieces make no difference");
    fuzz::require(whole.violation == pieces.violation, "nor where the framing is broken");

    egress_queue queue({100, 200000});
    std::vector<frame_bytes> accepted;
    std::vector<std::byte> written;
    for (const auto& frame : whole.frames) {
        if (queue.push(frame_view(frame))) {
            accepted.push_back(frame);
        }
        const auto pending = queue.pending();
        fuzz::require(pending.size() <= 200000, "the queue is bounded");
        const auto some = pending.first(std::min(taken, pending.size()));
        written.insert(written.end(), some.begin(), some.end());
        queue.consumed(some.size());
    }
    written.insert(written.end(), queue.pending().begin(), queue.pending().end());
    fuzz::require(split(written, piece).frames == accepted, "what was accepted is written");
    return 0;
}
