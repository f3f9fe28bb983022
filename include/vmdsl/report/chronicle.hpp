// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/event.hpp>
#include <vmdsl/report/result_files.hpp>
#include <vmdsl/report/run_record.hpp>
#include <vmdsl/report/terminal.hpp>

namespace vmdsl::detail {

/// Where every event of a run goes: the record, the result files and the terminal. What the supervisor itself has to
/// say becomes an event first, so that all of them, and events.jsonl, tell the same.
///
/// Where a case fails without telling what a console showed in it (it crashed, it hung, its machines live on), that is
/// read from the console's file: from where the machine started last in this case, or else from where the case began.
class chronicle {
public:
    /// Throws `could_not_run` where the result files can't be written.
    VMDSL_DECL chronicle(const std::filesystem::path& folder, junit_header header, terminal_log log);

    [[nodiscard]] const run_record& record() const noexcept { return record_; }
    [[nodiscard]] const result_files& files() const noexcept { return files_; }
    [[nodiscard]] terminal_log& log() noexcept { return log_; }

    /// Takes a line of a worker. Empty where it is no event.
    VMDSL_DECL std::optional<event> take_line(std::string_view line);

    /// Something went wrong: in the running case, or "(worker)" where none is running.
    VMDSL_DECL void add_problem(problem_kind kind, const std::string& message);

    /// The same, and the running case is over.
    VMDSL_DECL void end_running_case(problem_kind kind, const std::string& message);

    /// Every case without a result is skipped for this reason.
    VMDSL_DECL void skip_the_rest(const std::string& reason);

    VMDSL_DECL void warn(const std::string& text);

    /// Writes junit.xml, where what it says has changed.
    VMDSL_DECL void save();

    /// Writes junit.xml a last time, whatever came after the last case.
    void close() { files_.write_junit(record_, run_stage::ended); }

private:
    VMDSL_DECL void take(event e);
    VMDSL_DECL void tell(const event& e, std::string_view line);
    VMDSL_DECL void add_consoles(std::chrono::nanoseconds at);
    VMDSL_DECL void begin_case();
    VMDSL_DECL void name_console(const event& e);

    /// A machine's console, once the worker has named it.
    struct console {
        std::string machine;
        std::string file;
        std::uint64_t offset = 0;  ///< Where in the file its words begin.
        std::int64_t position = 0;
        bool of_this_case = false;  ///< The machine started in the running case.
    };

    run_record record_;
    result_files files_;
    terminal_log log_;
    std::vector<console> consoles_;
    bool changed_ = false;  ///< Since junit.xml was written.
    std::chrono::steady_clock::time_point case_began_{};
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/chronicle.ipp>
#endif
