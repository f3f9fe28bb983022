// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

/// Makes an anonymous file in memory (memfd) of the given size. It has no name in any file system and vanishes with
/// its last descriptor, so that nothing is left behind however the process ends. Pages are taken when first written.
/// Throws `could_not_run` where that is refused.
[[nodiscard]] VMDSL_DECL unique_fd make_memory_file(const std::string& name, std::uint64_t bytes);

/// Opens the same file again, with a position of its own, which starts at 0. Throws `could_not_run`.
[[nodiscard]] VMDSL_DECL unique_fd reopen_memory_file(const unique_fd& file);

/// The path under which a process that holds this descriptor can open the file: "/proc/self/fd/N".
[[nodiscard]] VMDSL_DECL std::string memory_file_path(const unique_fd& file);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/memory_file.ipp>
#endif
