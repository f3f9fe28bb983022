// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/guest/host_tree.hpp>

namespace vmdsl::detail {

/// What a copy has done, for the log: "3 entries, 120 bytes".
[[nodiscard]] VMDSL_DECL std::string text_of(const tree_summary& summary);

/// Copies into a guest. Throws `guest_error`, `usage_error`, `timed_out`, `machine_died`.
VMDSL_DECL tree_summary copy_into_guest(machine_runtime& machine, host_tree_reader& source, const std::string& path,
                                        deadline until);

/// Copies out of a guest. Where `kept` is given it gets the tree's bytes, at most `max_kept_tree`. Throws likewise, and
/// `could_not_run`.
VMDSL_DECL tree_summary copy_out_of_guest(machine_runtime& machine, const std::string& path,
                                          const std::filesystem::path& target, std::string* kept, deadline until);

/// How large a tree may be that a checkpoint's body copies to the host, in bytes.
inline constexpr std::size_t max_kept_tree = 256U << 20;

/// Where something for the host goes: relative paths begin in the run's results folder.
[[nodiscard]] VMDSL_DECL std::filesystem::path result_path(std::string_view path);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/tree_copy.ipp>
#endif
