// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/net/link.hpp>

namespace vmdsl {

/// The cable between a machine and a segment.
struct link_name {
    std::string machine;
    std::string segment;

    friend auto operator<=>(const link_name&, const link_name&) = default;
};

/// A link as it was at one instant.
struct link_report {
    link_name name;
    bool attached = false;     ///< A QEMU can be at the other end; false before attach() and once the port went down.
    bool cut = false;          ///< See fabric::cut().
    std::string down_because;  ///< Why the port went down by itself, empty where it didn't.
    link_counters counters;    ///< Since the fabric was made; attach() does not begin anew.
};

/// What a checkpoint keeps of a network. Frames on their way are not part of it.
struct fabric_state {
    std::vector<link_name> cut_links;

    friend bool operator==(const fabric_state&, const fabric_state&) = default;
};

/// What fabric::drain_to_whole_frames() found.
struct drain_report {
    std::uint64_t frames = 0;   ///< Frames that were read and forwarded, or lost by a fault and counted there.
    std::uint64_t waiting = 0;  ///< Frames in egress queues afterwards: their readers' sockets are full.
    std::vector<link_name> inside_frame;   ///< Links on which one of the sides has seen a part of a frame only.
    std::vector<link_name> still_writing;  ///< Links whose machine did not stop writing: it was not stopped.

    /// What is lost where no machine goes on, in words; empty where nothing is.
    [[nodiscard]] VMDSL_DECL std::string losses() const;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/fabric_report.ipp>
#endif
