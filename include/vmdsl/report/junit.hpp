// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
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

/// Whether there is more to come.
enum class run_stage : std::uint8_t {
    under_way,  ///< What is written now may be the last word: the run may be killed.
    ended,
};

/// Renders a run as JUnit XML: valid XML 1.0 in UTF-8, whatever the guests printed.
///
/// One <testsuite> per Boost.Test suite path, side by side and not nested ("program.suite.inner"), and one <testcase>
/// with that name as its `classname` per case: Jenkins, GitLab and GitHub's actions read that, nested suites they
/// don't. The words mean what they mean in the terminal log: all that went wrong in a case that FAILED is a <failure>,
/// timeouts and crashes too, and all that did in one that could not run (ERROR) is an <error>; `type` says what it was.
///
/// While the run goes on, a case that has not begun is <skipped message="not run"/>, and the one that is running holds
/// an <error>; where none is running, a case of the file's own, "(run)", does. So a run that is killed is never green,
/// and misses no case.
///
/// Keeps what it rendered of finished cases, so that writing the file after every case stays cheap.
class junit_report {
public:
    explicit junit_report(junit_header header) : header_(std::move(header)) {}

    [[nodiscard]] VMDSL_DECL std::string render(const run_record& run, run_stage stage);

private:
    VMDSL_DECL const std::string& rendered_once(const case_record& one, std::string_view suite);

    junit_header header_;
    std::unordered_map<std::string, std::string> rendered_;
};

/// Replaces the file's content in one step: a reader sees the old content or the new one, never a half.
/// Throws `could_not_run`; nothing new is left then.
VMDSL_DECL void replace_file(const std::filesystem::path& file, std::string_view content);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/junit.ipp>
#endif
