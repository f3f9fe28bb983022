// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace vmdsl::agent {

/// The life of process 1 in the initial RAM disk. Mounts, loads modules, starts the agent, waits until the host has
/// configured the machine, and then becomes the root disk's init, or stays where there is no root disk.
[[noreturn]] void run_as_init(char** argv);

}  // namespace vmdsl::agent
