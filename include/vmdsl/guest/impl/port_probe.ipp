// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/guest/port_probe.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::optional<port_state> look_at_port(agent_client& agent, std::uint16_t port, deadline until) {
    for (const auto* address : {"127.0.0.1", "::1"}) {
        const auto stream = agent.dial("tcp", address, port);
        const bool answered = stream->wait_opened(until);
        stream->close();
        if (!answered || !stream->wait(until)) {
            return std::nullopt;
        }
        if (stream->opened()) {
            return port_state::open;
        }
    }
    return port_state::closed;
}

}  // namespace vmdsl::detail
