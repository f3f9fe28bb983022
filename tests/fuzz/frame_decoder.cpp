// SPDX-License-Identifier: BSL-1.0
// Frames and noise, cut into pieces: what is found must not depend on how it was cut.
#include <cstdint>
#include <string>
#include <vector>

#include <vmdsl/guest/frame_codec.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

using namespace vmdsl;

struct found_frame {
    wire::header header;
    std::vector<std::byte> payload;
};

struct stream_of_bytes {
    std::vector<std::byte> bytes;
    std::vector<found_frame> frames;  ///< What was put in.
    bool noise = false;               ///< Anything else than whole frames and padding is in it.
    bool any_noise = false;           ///< Bytes that may happen to be a frame.
};

/// Whole frames, cut frames, padding and noise.
stream_of_bytes make_stream(fuzz::input& input) {
    stream_of_bytes made;
    while (!input.empty()) {
        const auto decision = input.byte();
        const auto text = input.bytes(decision >> 3U);
        switch (decision & 7U) {
            case 0:
                made.bytes.insert(made.bytes.end(), text.begin(), text.end());
                made.noise = made.any_noise = true;
                break;
            case 7: {
                // A header without its frame, which may announce anything.
                const auto header = wire::pack({std::uint32_t{input.number()} << (decision >> 3U), 1, 0, {}, {}});
                made.bytes.insert(made.bytes.end(), header.begin(), header.end());
                made.noise = true;
                break;
            }
            case 1:
                made.bytes.resize(made.bytes.size() + text.size());  // padding
                break;
            case 2: {
                // A frame of which a part is missing, or with one wrong byte.
                std::vector<std::byte> frame;
                frame_encoder{}.frame(frame, wire::frame_type::data, input.byte(), text);
                const auto at = input.number() % frame.size();
                if ((decision >> 3U) % 2 == 0) {
                    frame.resize(at);
                } else {
                    frame[at] ^= std::byte{input.byte()};
                }
                made.bytes.insert(made.bytes.end(), frame.begin(), frame.end());
                made.noise = true;
                break;
            }
            default: {
                std::vector<std::byte> payload(input.number() + text.size());
                std::copy(text.begin(), text.end(), payload.begin());
                payload.resize(std::min(payload.size(), wire::max_payload));
                frame_encoder encoder;
                encoder.set_epoch(decision & 7U);
                const auto type = static_cast<wire::frame_type>(input.byte());
                encoder.frame(made.bytes, type, decision, payload, wire::channel::errors);
                made.frames.push_back(
                    {{static_cast<std::uint32_t>(payload.size()), decision, decision & 7U, type, wire::channel::errors},
                     payload});
            }
        }
    }
    // A cut frame at the end must not wait for ever.
    frame_encoder{}.resync_padding(made.bytes);
    return made;
}

std::vector<found_frame> decode(const std::vector<std::byte>& bytes, std::uint32_t piece) {
    std::vector<found_frame> frames;
    frame_decoder decoder;
    std::span<const std::byte> rest(bytes);
    std::size_t skipped = 0;
    while (!rest.empty()) {
        const auto taken = decoder.feed(rest.first(std::min<std::size_t>(rest.size(), piece)));
        fuzz::require(taken > 0, "there is room for more");
        rest = rest.subspan(taken);
        for (auto found = decoder.next(); found.status != decode_status::need_more; found = decoder.next()) {
            if (found.status == decode_status::frame) {
                fuzz::require(found.payload.size() == found.header.length, "the payload has the header's length");
                frames.push_back({found.header, {found.payload.begin(), found.payload.end()}});
            } else {
                fuzz::require(found.skipped > 0, "junk is skipped");
                skipped += found.skipped;
            }
        }
        fuzz::require(decoder.prepare().size() >= wire::max_frame, "there is room for a whole frame");
    }
    fuzz::require(decoder.skipped_bytes() == skipped, "skipped bytes are counted");
    return frames;
}

bool equal(const found_frame& one, const found_frame& other) {
    return wire::pack(one.header) == wire::pack(other.header) && one.payload == other.payload;
}

bool equal(const std::vector<found_frame>& one, const std::vector<found_frame>& other) {
    return std::ranges::equal(one, other, [](const auto& a, const auto& b) { return equal(a, b); });
}

/// Whether `some` are all in `all`, in their order.
bool contains_in_order(const std::vector<found_frame>& all, const std::vector<found_frame>& some) {
    auto next = some.begin();
    for (const auto& each : all) {
        if (next != some.end() && equal(each, *next)) {
            ++next;
        }
    }
    return next == some.end();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const std::uint32_t piece = 1U + input.number() % 5000U;
    const auto made = make_stream(input);
    const auto whole = decode(made.bytes, 1U << 20U);
    fuzz::require(equal(whole, decode(made.bytes, piece)), "the pieces make no difference");
    fuzz::require(made.noise || equal(whole, made.frames), "what was put in comes out");
    fuzz::require(made.any_noise || contains_in_order(whole, made.frames), "also behind a frame that was cut");
    return 0;
}
