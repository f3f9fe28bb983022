// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <optional>

#include <vmdsl/guest/port_probe.hpp>

namespace vmdsl::detail {

/// Whether a connection failed because nobody listens there.
inline bool nobody_listens(const stream_end& end) {
    const auto why = static_cast<int>(end.error_number);
    return why == ECONNREFUSED || why == EADDRNOTAVAIL || why == EAFNOSUPPORT || why == ENETUNREACH;
}

VMDSL_DECL port_look look_at_port(agent_client& agent, std::uint16_t port, deadline until) {
    port_look seen{port_state::closed, {}};
    for (const auto* address : {"127.0.0.1", "::1"}) {
        const scoped_stream stream(agent.dial("tcp", address, port));
        const bool answered = stream->wait_opened(until);
        stream->close();
        const auto end = answered ? stream->wait(until) : std::nullopt;
        if (!end) {
            return {port_state::unknown, "connecting neither succeeded nor failed"};
        }
        if (stream->opened()) {
            return {port_state::open, {}};
        }
        if (!nobody_listens(*end)) {
            seen = {port_state::unknown, "connecting failed: " + end->error_text};
        }
    }
    return seen;
}

}  // namespace vmdsl::detail
