// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/report/run_record.hpp>

namespace vmdsl {

/// What a JUnit file says besides its cases.
struct junit_header {
    std::string name;       ///< Of the test program; the first part of every suite's name.
    std::string timestamp;  ///< When the run began: ISO 8601, UTC, without a zone ("2024-05-01T12:00:00").
    std::string hostname;
    std::vector<std::pair<std::string, std::string>> properties;  ///< Of the whole run.
};

/// Renders a run as JUnit XML: valid XML 1.0 in UTF-8, whatever the guests printed.
///
/// One <testsuite> per Boost.Test suite path, side by side and not nested ("program.suite.inner"), and one <testcase>
/// with that name as its `classname` per case that has a result: Jenkins, GitLab and GitHub's actions read that, nested
/// suites they don't. A case counts as an error where it holds an <error> (could not run, crash, timeout, interrupted),
/// else as a failure where it holds a <failure>. Cases without a result are left out.
///
/// Keeps what it rendered of finished cases, so that writing the file after every case stays cheap.
class junit_report {
public:
    explicit junit_report(junit_header header) : header_(std::move(header)) {}

    [[nodiscard]] VMDSL_DECL std::string render(const run_record& run);

private:
    VMDSL_DECL const std::string& rendered_case(const case_record& one, std::string_view suite);

    junit_header header_;
    std::unordered_map<std::string, std::string> rendered_;
};

/// Replaces the file's content in one step: a reader sees the old content or the new one, never a half.
/// Throws `could_not_run`.
VMDSL_DECL void replace_file(const std::filesystem::path& file, std::string_view content);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/junit.ipp>
#endif
