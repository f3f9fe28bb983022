// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <agent/netlink.hpp>

namespace vmdsl::agent {

/// Tells the segment which hardware address has this address now: a gratuitous ARP request, or an unsolicited neighbour
/// advertisement. After a restore the switch and the neighbours may know something else. 0, or errno.
int announce_address(int interface_index, const std::uint8_t (&hardware_address)[6], const interface_address& address);

}  // namespace vmdsl::agent
