// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// Runs a program to its end, in a folder, with its output in files; it ends with us. Returns its exit code, 127 where
/// it can't be executed, 128 plus the signal where one ended it. For a process without an I/O loop.
[[nodiscard]] VMDSL_DECL int run_tool(const std::vector<std::string>& words, const std::filesystem::path& folder,
                                      const std::filesystem::path& output, const std::filesystem::path& errors);

/// The path of a program in $PATH; empty where there is none.
[[nodiscard]] VMDSL_DECL std::string find_tool(const std::string& name);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/tool.ipp>
#endif
