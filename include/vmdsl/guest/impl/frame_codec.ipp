// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstring>
#include <string>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/frame_codec.hpp>

namespace vmdsl {

namespace detail {

/// Two frames: while one is waited for, a receive call can still be offered room for a whole one.
inline constexpr std::size_t frame_decoder_capacity = 2 * wire::max_frame;

/// Whether bytes that `unpack` refused are a header but for their length.
inline bool frame_header_is_oversize(std::span<const std::byte, wire::header_size> bytes) noexcept {
    return wire::get32(bytes.data()) == wire::magic &&
           wire::get32(bytes.data() + wire::header_size - 4) == wire::header_check(bytes.data());
}

inline void append_frame_bytes(std::vector<std::byte>& out, std::span<const std::byte> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}

}  // namespace detail

VMDSL_DECL frame_decoder::frame_decoder() : buffer_(detail::frame_decoder_capacity) {
}

VMDSL_DECL std::span<std::byte> frame_decoder::prepare() {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    return std::span{buffer_}.subspan(end_);
}

VMDSL_DECL void frame_decoder::commit(std::size_t bytes) {
    end_ += std::min(bytes, buffer_.size() - end_);
}

VMDSL_DECL std::size_t frame_decoder::feed(std::span<const std::byte> bytes) {
    const auto room = prepare();
    const auto taken = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), taken, room.begin());
    commit(taken);
    return taken;
}

/// How many of the pending bytes can't be the beginning of a frame; at least one, since the first was looked at.
VMDSL_DECL std::size_t frame_decoder::junk_length() const noexcept {
    const auto bytes = pending();
    constexpr auto first = static_cast<std::byte>(wire::magic & 0xff);
    const auto at =
        std::find_if(bytes.begin() + 1, bytes.end(), [](std::byte b) { return b == first || b == std::byte{0}; });
    return static_cast<std::size_t>(at - bytes.begin());
}

VMDSL_DECL decoded frame_decoder::skip(std::size_t bytes, decode_problem problem) {
    begin_ += bytes;
    skipped_ += bytes;
    return {decode_status::junk, {}, {}, problem, bytes};
}

/// Looks at what begins with the first pending byte, of which there is one, and which is no padding.
VMDSL_DECL decoded frame_decoder::examine() {
    const auto bytes = pending();
    std::array<std::byte, 4> magic{};
    wire::put32(magic.data(), wire::magic);
    const auto compared = std::min(magic.size(), bytes.size());
    if (!std::equal(magic.begin(), magic.begin() + static_cast<std::ptrdiff_t>(compared), bytes.begin())) {
        return skip(junk_length(), decode_problem::not_a_header);
    }
    if (bytes.size() < wire::header_size) {
        return {};
    }
    const auto packed = bytes.first<wire::header_size>();
    wire::header header;
    if (!wire::unpack(packed, header)) {
        return skip(junk_length(),
                    detail::frame_header_is_oversize(packed) ? decode_problem::oversize : decode_problem::not_a_header);
    }
    if (wanted_ && (wanted_->type != header.type || wanted_->epoch != header.epoch)) {
        // Not the whole frame: what follows the header may be anything, as the frame may have been cut.
        return skip(junk_length(), decode_problem::none);
    }
    const auto payload_end = wire::header_size + header.length;
    if (bytes.size() < payload_end + wire::trailer_size) {
        return {};
    }
    if (!std::ranges::equal(bytes.subspan(payload_end, wire::trailer_size), wire::trailer_of(packed))) {
        return skip(junk_length(), decode_problem::cut);
    }
    wanted_.reset();
    begin_ += payload_end + wire::trailer_size;
    return {decode_status::frame, header, bytes.subspan(wire::header_size, header.length), decode_problem::none, 0};
}

VMDSL_DECL decoded frame_decoder::next() {
    while (begin_ < end_) {
        if (buffer_[begin_] == std::byte{0}) {
            ++begin_;
            continue;
        }
        if (const auto found = examine(); found.status != decode_status::junk || !scanning()) {
            return found;
        }
    }
    return {};
}

VMDSL_DECL void frame_decoder::scan_for(wire::frame_type type, std::uint32_t epoch) {
    wanted_ = wanted{type, epoch};
}

VMDSL_DECL void frame_decoder::reset() {
    begin_ = 0;
    end_ = 0;
    wanted_.reset();
}

VMDSL_DECL payload_builder& payload_builder::bytes(wire::tag tag, std::span<const std::byte> value) {
    std::array<std::byte, wire::field_header_size> head{};
    wire::put16(head.data(), static_cast<std::uint16_t>(tag));
    wire::put32(head.data() + 2, static_cast<std::uint32_t>(value.size()));
    detail::append_frame_bytes(bytes_, head);
    detail::append_frame_bytes(bytes_, value);
    return *this;
}

VMDSL_DECL payload_builder& payload_builder::text(wire::tag tag, std::string_view value) {
    return bytes(tag, std::as_bytes(std::span{value}));
}

VMDSL_DECL payload_builder& payload_builder::u32(wire::tag tag, std::uint32_t value) {
    std::array<std::byte, 4> packed{};
    wire::put32(packed.data(), value);
    return bytes(tag, packed);
}

VMDSL_DECL payload_builder& payload_builder::u64(wire::tag tag, std::uint64_t value) {
    std::array<std::byte, 8> packed{};
    wire::put64(packed.data(), value);
    return bytes(tag, packed);
}

VMDSL_DECL payload_builder& payload_builder::flag(wire::tag tag) {
    return bytes(tag, {});
}

VMDSL_DECL void frame_encoder::frame(std::vector<std::byte>& out, wire::frame_type type, std::uint32_t stream,
                                     std::span<const std::byte> payload, wire::channel channel) const {
    if (payload.size() > wire::max_payload) {
        throw usage_error("a request of " + std::to_string(payload.size()) +
                              " bytes is too long for the guest agent, which takes " +
                              std::to_string(wire::max_payload),
                          "write long texts to a file in the guest, and name the file in the command");
    }
    const auto header = wire::pack({static_cast<std::uint32_t>(payload.size()), stream, epoch_, type, channel});
    detail::append_frame_bytes(out, header);
    detail::append_frame_bytes(out, payload);
    detail::append_frame_bytes(out, wire::trailer_of(header));
}

VMDSL_DECL void frame_encoder::frame(std::vector<std::byte>& out, wire::frame_type type, std::uint32_t stream,
                                     const payload_builder& payload, wire::channel channel) const {
    frame(out, type, stream, payload.view(), channel);
}

VMDSL_DECL void frame_encoder::data(std::vector<std::byte>& out, std::uint32_t stream, std::span<const std::byte> bytes,
                                    wire::channel channel) const {
    while (!bytes.empty()) {
        const auto piece = bytes.first(std::min(bytes.size(), wire::max_payload));
        frame(out, wire::frame_type::data, stream, piece, channel);
        bytes = bytes.subspan(piece.size());
    }
}

VMDSL_DECL void frame_encoder::resync_padding(std::vector<std::byte>& out) const {
    out.resize(out.size() + wire::resync_padding);
}

}  // namespace vmdsl
