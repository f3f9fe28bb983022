// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <vmdsl/core/config.hpp>
#include <vmdsl/guest/agent_stream.hpp>

namespace vmdsl {

/// Opens a connection inside the guest whose bytes go to `sink`; empty where the machine can't be reached just now.
/// Called on the I/O thread.
using guest_dialler = std::function<std::shared_ptr<agent_stream>(stream_sink sink)>;

/// A listening TCP port on 127.0.0.1 of the host, each connection of which the guest's agent continues inside the
/// guest. There is no network card between, so the service sees a connection from its own localhost; nobody but local
/// users of the host can reach it. Connections end with the forward.
class port_forward {
public:
    /// Listens. `host_port` 0 takes a free port. Throws `could_not_run` where the port is taken.
    VMDSL_DECL port_forward(std::uint16_t host_port, guest_dialler dial);
    VMDSL_DECL ~port_forward();
    port_forward(const port_forward&) = delete;
    port_forward& operator=(const port_forward&) = delete;

    /// The host's port.
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }

private:
    struct listener;

    std::shared_ptr<listener> listener_;
    std::uint16_t port_ = 0;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/forward.ipp>
#endif
