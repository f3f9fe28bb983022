// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/net/frame.hpp>

namespace vmdsl {

/// QEMU's `-netdev stream` puts the frame's length before each frame, as a big-endian number of this many bytes.
inline constexpr std::size_t stream_header_bytes = 4;

/// The longest frame that QEMU 7.2 takes (4 KiB + 64 KiB, NET_BUFSIZE in its include/net/net.h). One byte more and it
/// drops the connection.
inline constexpr std::size_t largest_frame_bytes = 69632;

/// True for the lengths that may stand before a frame. Never send 0: QEMU then stops reading for ever, without a word.
[[nodiscard]] constexpr bool is_frame_length(std::size_t length) noexcept {
    return length >= 1 && length <= largest_frame_bytes;
}

/// How a peer broke the framing.
enum class framing_error : std::uint8_t {
    none,         ///< It didn't.
    zero_length,  ///< It announced a frame of no bytes.
    oversized,    ///< It announced more than largest_frame_bytes.
};

/// Splits what a QEMU wrote to its socket into frames, however the bytes were cut into pieces. No input of its own.
///
///     splitter.feed(bytes);
///     while (auto frame = splitter.next()) { ... }
///
/// Keeps at most one incomplete frame, and only those of its bytes that arrived: an announced length costs nothing.
/// Not thread-safe.
class stream_splitter {
public:
    /// Hands over the next piece. Call next() until it is empty before the piece's memory goes, and before the next
    /// one.
    VMDSL_DECL void feed(std::span<const std::byte> bytes) noexcept;

    /// The next complete frame, or empty where more bytes are needed or the framing is broken. Valid until the next
    /// call.
    [[nodiscard]] VMDSL_DECL std::optional<frame_view> next();

    /// Once this isn't `none`, nothing that follows can be understood: the splitter ignores it.
    [[nodiscard]] framing_error violation() const noexcept { return violation_; }

    /// How many bytes of an incomplete frame wait for the rest, its header included.
    [[nodiscard]] std::size_t partial_bytes() const noexcept { return partial_done_ ? 0 : partial_.size(); }

private:
    [[nodiscard]] VMDSL_DECL std::optional<frame_view> next_of_partial();
    [[nodiscard]] VMDSL_DECL std::optional<std::size_t> length_of(std::span<const std::byte> header) noexcept;
    VMDSL_DECL void keep(std::size_t bytes);

    std::span<const std::byte> rest_;
    std::vector<std::byte> partial_;  ///< Begins with a header, whole or not.
    bool partial_done_ = false;       ///< partial_ was handed out and goes with the next call.
    framing_error violation_ = framing_error::none;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/stream_framer.ipp>
#endif
