// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/junit.hpp>
#include <vmdsl/report/run_record.hpp>

namespace vmdsl {

/// The files that a run leaves in its output folder: junit.xml, whole at every moment, and events.jsonl.
///
/// What goes wrong after the start (a full disk) is remembered and does not end the run.
class result_files {
public:
    /// Replaces the files of an earlier run by empty ones. Throws `could_not_run`.
    VMDSL_DECL result_files(const std::filesystem::path& folder, junit_header header);

    /// Appends one event, given as its JSON line.
    VMDSL_DECL void append_event(std::string_view line) noexcept;

    /// Writes junit.xml anew.
    VMDSL_DECL void write_junit(const run_record& run, run_stage stage) noexcept;

    [[nodiscard]] std::filesystem::path junit_path() const { return folder_ / "junit.xml"; }
    [[nodiscard]] std::filesystem::path events_path() const { return folder_ / "events.jsonl"; }

    /// The first thing that went wrong; empty where nothing did.
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }

private:
    std::filesystem::path folder_;
    junit_report junit_;
    unique_fd events_;
    std::string failure_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/result_files.ipp>
#endif
