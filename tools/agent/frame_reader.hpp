// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <vmdsl/guest/wire.hpp>

namespace vmdsl::agent {

/// Turns what the host sends into frames, and finds the next one again after anything else.
class frame_reader {
public:
    enum class found : std::uint8_t {
        nothing,  ///< More bytes are needed.
        frame,
        junk,  ///< Bytes that belong to no frame were skipped.
        cut,   ///< A frame that was filled up with padding was skipped: a checkpoint had cut it.
    };

    /// Where to receive next: room for a whole frame at least, if `next` was called until it said `nothing`.
    [[nodiscard]] std::span<std::byte> room() noexcept;
    void took(std::size_t bytes) noexcept { end_ += bytes; }

    /// The payload is valid until `room` is called.
    [[nodiscard]] found next(wire::header& header, std::span<const std::byte>& payload) noexcept;

    void reset() noexcept { begin_ = end_ = 0; }

private:
    [[nodiscard]] bool may_be_header() const noexcept;
    void skip_junk() noexcept;

    std::array<std::byte, 2 * wire::max_frame> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace vmdsl::agent
