// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// A file's content. Throws `could_not_run` where it can't be read.
[[nodiscard]] VMDSL_DECL std::string content_of(const std::filesystem::path& file);

/// Writes a file whose folder is there. Returns 0, or the number of the error because of which not all of it is there.
[[nodiscard]] VMDSL_DECL int try_to_write_content(const std::filesystem::path& file, std::string_view content);

/// The same. Throws `could_not_run` with the hint where it can't be written.
VMDSL_DECL void write_content(const std::filesystem::path& file, std::string_view content,
                              const std::string& hint = {});

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/file_content.ipp>
#endif
