// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// Destination, source and type: what a frame must have to be forwarded at all.
inline constexpr std::size_t ethernet_header_bytes = 14;

/// A 48-bit Ethernet address.
class mac_address {
public:
    constexpr mac_address() noexcept = default;
    constexpr explicit mac_address(std::span<const std::byte, 6> bytes) noexcept {
        for (const std::byte b : bytes) {
            value_ = value_ << 8U | std::to_integer<std::uint64_t>(b);
        }
    }

    /// The address as a number below 2^48, its first byte on the wire the most significant.
    [[nodiscard]] constexpr std::uint64_t value() const noexcept { return value_; }

    /// True for multicast and broadcast: an address that no single station has, so it is never a valid source.
    [[nodiscard]] constexpr bool is_group() const noexcept { return ((value_ >> 40U) & 1U) != 0; }

    friend constexpr bool operator==(mac_address, mac_address) noexcept = default;

private:
    std::uint64_t value_ = 0;
};

/// Looks into the bytes of an Ethernet frame (no preamble, no check sequence) without copying them: valid only as long
/// as they are. A frame as QEMU sends it may be shorter than Ethernet's 60 bytes: an ARP request has 42.
class frame_view {
public:
    constexpr frame_view() noexcept = default;
    constexpr explicit frame_view(std::span<const std::byte> bytes) noexcept : bytes_(bytes) {}

    [[nodiscard]] constexpr std::span<const std::byte> bytes() const noexcept { return bytes_; }
    [[nodiscard]] constexpr std::size_t size() const noexcept { return bytes_.size(); }

    /// True where the header is incomplete. Ask before any of the functions below: they need the header.
    [[nodiscard]] constexpr bool is_runt() const noexcept { return bytes_.size() < ethernet_header_bytes; }

    [[nodiscard]] constexpr mac_address destination() const noexcept {
        assert(!is_runt());
        return mac_address(bytes_.first<6>());
    }
    [[nodiscard]] constexpr mac_address source() const noexcept {
        assert(!is_runt());
        return mac_address(bytes_.subspan<6, 6>());
    }

    /// The type as it stands in the header: 0x8100 for a frame with an 802.1Q tag, a length for an 802.3 frame.
    [[nodiscard]] constexpr std::uint16_t ether_type() const noexcept {
        assert(!is_runt());
        return static_cast<std::uint16_t>(std::to_integer<unsigned>(bytes_[12]) << 8U |
                                          std::to_integer<unsigned>(bytes_[13]));
    }

private:
    std::span<const std::byte> bytes_;
};

}  // namespace vmdsl
