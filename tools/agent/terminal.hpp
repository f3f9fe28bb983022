// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <agent/fd.hpp>

namespace vmdsl::agent {

/// Both sides of a pseudo-terminal, close-on-exec: the master is ours and does not block, the slave the command's.
struct terminal_ends {
    unique_fd master;
    unique_fd slave;
};

/// Makes one with the size that the payload's fields say. False, with errno set, where the system gives none.
[[nodiscard]] bool make_terminal(terminal_ends& to, std::span<const std::byte> payload);

/// Gives it the size that the fields say; who runs on it gets SIGWINCH. A size that makes no sense changes nothing.
void set_terminal_size(int master, std::span<const std::byte> payload);

}  // namespace vmdsl::agent
