// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// A file of counters (.gcda), as a guest sent it.
struct counter_file {
    std::string path;  ///< In the guest. Not trusted.
    std::string content;
};

/// What is wrong with counters, empty where nothing is: they are whole, and they were counted by the compilation whose
/// notes (.gcno) begin with `notes`. gcov itself takes damaged and foreign counters for zeros, without an error.
/// Knows the format of GCC 12 and later.
[[nodiscard]] VMDSL_DECL std::string counter_file_problem(std::string_view content, std::string_view notes);

/// Whether good counters hold anything but zeros. A process writes a file for each of its objects, most of which it has
/// not used.
[[nodiscard]] VMDSL_DECL bool has_counts(std::string_view content);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/counter_file.ipp>
#endif
