// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// A file's content, or its first bytes; empty where it can't be read.
[[nodiscard]] VMDSL_DECL std::string read_bytes(const std::filesystem::path& file,
                                                std::size_t limit = std::string::npos);

/// Writes a file, with the folders above it. Throws `could_not_run`.
VMDSL_DECL void write_result_file(const std::filesystem::path& file, std::string_view content);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/files.ipp>
#endif
