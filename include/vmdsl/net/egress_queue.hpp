// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/net/frame.hpp>
#include <vmdsl/net/stream_framer.hpp>

namespace vmdsl {

/// The bounds of an egress queue. A frame that doesn't fit is dropped (the newest, as a switch with full buffers does).
struct egress_limits {
    std::size_t frames = 1000;
    std::size_t bytes = std::size_t{16} << 20U;  ///< Headers included; reached first only by frames of 16 KiB and more.
};

/// The frames that wait to be written to one QEMU, in QEMU's stream framing. No output of its own: the owner writes
/// pending(), all frames in one call, and says with consumed() how much of it the socket took.
/// Not thread-safe.
class egress_queue {
public:
    explicit egress_queue(egress_limits limits = {}) noexcept : limits_(limits) {}

    /// Copies the frame in. False where the queue is full, or the frame has a length that QEMU must never be sent.
    [[nodiscard]] VMDSL_DECL bool push(frame_view frame);

    /// Everything that is to be written next, possibly from the middle of a frame. Valid until push() or consumed().
    [[nodiscard]] std::span<const std::byte> pending() const noexcept { return std::span(bytes_).subspan(head_); }

    /// Says that the first `count` bytes of pending() were written.
    VMDSL_DECL void consumed(std::size_t count) noexcept;

    [[nodiscard]] bool empty() const noexcept { return frames_ == 0; }
    /// The frames that are not completely written yet.
    [[nodiscard]] std::size_t frames() const noexcept { return frames_; }
    /// True where the reader got only a part of the first frame so far.
    [[nodiscard]] bool inside_frame() const noexcept { return inside_frame_; }

    VMDSL_DECL void clear() noexcept;

private:
    [[nodiscard]] VMDSL_DECL std::size_t frame_bytes_at(std::size_t offset) const noexcept;
    VMDSL_DECL void give_memory_back() noexcept;

    egress_limits limits_;
    std::vector<std::byte> bytes_;
    std::size_t head_ = 0;        ///< What lies before this was written.
    std::size_t front_left_ = 0;  ///< Bytes of the first frame that are not written, its header included.
    std::size_t frames_ = 0;
    bool inside_frame_ = false;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/egress_queue.ipp>
#endif
