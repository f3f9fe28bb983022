// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/net/frame.hpp>
#include <vmdsl/net/mac_table.hpp>

namespace vmdsl {

/// What a switch did with the frames it was asked about. Each frame counts in exactly one of the first four.
struct switch_counters {
    std::uint64_t unicast = 0;    ///< To the one port where its destination was heard.
    std::uint64_t flooded = 0;    ///< To all other ports: a group address, or a destination that was never heard.
    std::uint64_t filtered = 0;   ///< Nowhere: its destination is on the port that it came from.
    std::uint64_t runts = 0;      ///< Nowhere: shorter than an Ethernet header.
    std::uint64_t moves = 0;      ///< Stations heard on another port than before: an address that two machines have.
    std::uint64_t evictions = 0;  ///< Stations forgotten because the table was full.

    friend bool operator==(const switch_counters&, const switch_counters&) = default;
};

/// A learning Ethernet switch without any input or output of its own: it is told of a frame and says where that goes.
///
/// Transparent: frames are never changed or inspected beyond their two addresses, so 802.1Q tags, LLDP, LACP and
/// spanning tree pass as any other frame. Frames below Ethernet's 60 bytes pass too, since QEMU does not pad.
/// A loop between two segments is not broken up. Not thread-safe.
class learning_switch {
public:
    static constexpr std::size_t default_stations = 4096;

    /// `stations` bounds the address table; where it is full the station that was silent longest is forgotten, and
    /// frames to it are flooded until it is heard again.
    explicit VMDSL_DECL learning_switch(std::size_t stations = default_stations);

    /// Adds a port; a port that exists stays as it is.
    VMDSL_DECL void add_port(switch_port port);

    /// Removes a port and what was learnt of it; a port that doesn't exist is no error.
    VMDSL_DECL void remove_port(switch_port port) noexcept;

    /// Says which ports the frame leaves by, and learns where its sender is. Never contains `ingress`; empty where the
    /// frame is dropped. The result is valid until the next call of any function. Allocates nothing.
    [[nodiscard]] VMDSL_DECL std::span<const switch_port> decide(switch_port ingress, frame_view frame) noexcept;

    /// Forgets where stations are: of one port, or of all. Frames to them are flooded until they are heard again.
    void flush(switch_port port) noexcept { table_.forget(port); }
    void flush() noexcept { table_.clear(); }

    [[nodiscard]] const switch_counters& counters() const noexcept { return counters_; }
    [[nodiscard]] std::size_t stations() const noexcept { return table_.size(); }

private:
    VMDSL_DECL void learn(mac_address station, switch_port port) noexcept;
    [[nodiscard]] VMDSL_DECL std::span<const switch_port> flood(switch_port ingress) noexcept;

    mac_table table_;
    std::vector<switch_port> ports_;
    std::vector<switch_port> egress_;  ///< Where decide() puts its answer; grows with ports_ only.
    switch_counters counters_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/switch.ipp>
#endif
