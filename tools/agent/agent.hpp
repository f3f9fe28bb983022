// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <agent/fd.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

/// Serves the host on the machine's virtio-serial port, for as long as the machine runs. Tells `configured` with one
/// byte when the host has configured the machine. Returns only where it can't go on: the process's exit status.
[[nodiscard]] int serve_port(unique_fd configured);

/// What tests choose.
struct socket_options {
    int fd = -1;
    text root;
    bool touch_system = true;
    bool use_cgroups = true;
};

/// Serves on an inherited socket until it is closed: the process's exit status.
[[nodiscard]] int serve_socket(socket_options options);

}  // namespace vmdsl::agent
