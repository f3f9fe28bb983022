// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

#include <sys/types.h>

#include <agent/text.hpp>

namespace vmdsl::agent {

/// The file's first megabyte at most, with no newline at the end. Empty where it can't be read.
[[nodiscard]] text read_small_file(const char* path);

/// Writes into an existing file of the kernel (/proc, /sys) in one write. 0, or errno.
int write_kernel_file(const char* path, std::string_view content);

/// Replaces a file as a whole: a new file beside it is renamed over it. 0, or errno.
int replace_file(const char* path, std::string_view content, mode_t mode);

/// Where a stream writes a file until all of it is there: in the same folder, under a name that is never too long.
[[nodiscard]] text place_beside(std::string_view path, std::uint32_t stream);

/// Writes all of it. 0, or errno.
int write_all(int fd, std::string_view content);

}  // namespace vmdsl::agent
