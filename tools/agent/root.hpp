// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

#include <agent/text.hpp>

namespace vmdsl::agent {

/// The device file of the virtio disk with this serial. Empty where there is none.
[[nodiscard]] text find_disk(std::string_view serial);

/// Mounts what every system needs before it can do anything: /proc, /sys, /dev, /run.
void mount_kernel_file_systems();

/// cgroup v2 on /sys/fs/cgroup, which the agent uses before an init system would mount it.
void mount_cgroups();

/// Mounts `root_disk` read-only below a writable layer and makes that the root. The layer is on the disk with serial
/// "scratch" where there is one and `volatile_root` is false, else in memory. The files of the initial RAM disk are
/// deleted, since the memory that they take would be the machine's for ever. Fails (console, panic) where it can't.
void switch_to_root(const char* root_disk, bool volatile_root);

}  // namespace vmdsl::agent
