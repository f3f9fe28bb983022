// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/guest/agent_client.hpp>

namespace vmdsl::detail {

/// Of a TCP port of a guest's localhost.
enum class port_state : std::uint8_t {
    open,     ///< Connections are accepted, whatever becomes of them then.
    closed,   ///< They are refused, over IPv4 and over IPv6, or the guest has no such address.
    unknown,  ///< Connecting failed otherwise, which says nothing of the port, or did not come to an end.
};

struct port_look {
    port_state state;
    std::string problem;  ///< Where the state is unknown: why.
};

/// Connects to a port from inside the guest and lets go of the connection again. Throws `machine_died`.
[[nodiscard]] VMDSL_DECL port_look look_at_port(agent_client& agent, std::uint16_t port, deadline until);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/port_probe.ipp>
#endif
