// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// How much of the code that a machine has was run there.
struct machine_coverage {
    std::string machine;
    std::size_t lines = 0;      ///< With code, in all builds of its image, whether they ran or not.
    std::size_t lines_run = 0;  ///< Of these.
    std::size_t only_here = 0;  ///< Of these, the ones that ran on no other machine.
};

/// What a run's coverage came to.
struct coverage_report {
    std::vector<machine_coverage> machines;  ///< By name.
    std::size_t lines = 0;                   ///< All machines together.
    std::size_t lines_run = 0;
    std::vector<std::string> problems;  ///< What is missing in it, and why; empty where it is complete.
    std::filesystem::path tracefile;    ///< lcov's format, a test name per machine.
    std::filesystem::path by_case;      ///< The same, a test name per machine and case; only files that ran.
    std::filesystem::path html;         ///< Empty where there is none; then
    std::string no_html;                ///< says why.
};

/// Makes the report of a run from the shards in `folder`/shards, beside them. Without machines where nothing was
/// collected, and without problems where there was nothing to collect. Throws
/// `could_not_run` where a tool or the disk fails.
[[nodiscard]] VMDSL_DECL coverage_report write_coverage_report(const std::filesystem::path& folder);

/// The report in a few lines, for the end of a run's log.
[[nodiscard]] VMDSL_DECL std::string summary_of(const coverage_report& report);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/report.ipp>
#endif
