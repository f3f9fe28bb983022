// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// How often something ran.
using run_count = std::uint64_t;

/// A function of a source file.
struct function_count {
    unsigned line = 0;
    run_count runs = 0;
};

/// The lines of a source file that have code, and its functions, each with how often it ran.
struct source_counts {
    std::map<unsigned, run_count> lines;
    std::map<std::string, function_count> functions;  ///< By linker name, of which each overload has its own.

    VMDSL_DECL void add(const source_counts& other);
    /// How many lines ran.
    [[nodiscard]] VMDSL_DECL std::size_t lines_run() const;
};

/// Source files by their path on the host.
using line_counts = std::map<std::string, source_counts>;

VMDSL_DECL void add(line_counts& to, const line_counts& more);

/// A test name as lcov takes it, letters, digits and '_': all other characters become '_'.
[[nodiscard]] VMDSL_DECL std::string lcov_test_name(std::string text);

/// As a part of an lcov tracefile, under a test name (`lcov_test_name`).
[[nodiscard]] VMDSL_DECL std::string to_tracefile(const std::string& test, const line_counts& counts);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/line_counts.ipp>
#endif
