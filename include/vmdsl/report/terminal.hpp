// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <iosfwd>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/event.hpp>
#include <vmdsl/report/run_record.hpp>

namespace vmdsl {

/// How much the terminal log says.
enum class verbosity : std::uint8_t {
    quiet,    ///< What failed, and the summary.
    normal,   ///< A line per case, what takes long in it (phases), facts and warnings.
    verbose,  ///< Also commands, faults and notes.
};

/// The log that a person watches, made from the event stream.
///
/// Everything that a guest said is made printable first: a console's escape sequences never reach the terminal. Of a
/// text of many lines it shows the first and the last ones, and says where the others are.
class terminal_log {
public:
    /// The stream must outlive the log. `colour`: only where the stream is a terminal.
    terminal_log(std::ostream& out, verbosity level, bool colour) : out_(&out), level_(level), colour_(colour) {}

    /// Names the file that has the whole text of each problem.
    void refer_to(std::string file) { whole_texts_ = std::move(file); }

    /// Shows one event; `run` has it applied already.
    VMDSL_DECL void show(const event& e, const run_record& run);

    /// A line of our own, for example which output folder is used.
    VMDSL_DECL void say(std::string_view line);

    /// The end of the run: how many cases ended how, which ones failed, and where the files lie.
    VMDSL_DECL void summarise(const run_record& run, double seconds);

private:
    VMDSL_DECL void show_case(const case_record& one);
    VMDSL_DECL void show_outside_problem(const event& e, const run_record& run);
    VMDSL_DECL void show_name(case_status status, std::string_view name);
    VMDSL_DECL void show_problem(const problem& p);
    VMDSL_DECL void show_block(std::string_view text, std::string_view mark);
    VMDSL_DECL void show_detail(const event& e);
    VMDSL_DECL void show_fact(const event& e);
    [[nodiscard]] VMDSL_DECL std::string coloured(std::string_view word, const char* code) const;

    std::ostream* out_;
    verbosity level_;
    bool colour_;
    std::string whole_texts_;
    std::set<std::string> facts_shown_;  ///< Each worker says them again.
};

/// The log on standard output, coloured where that is a terminal and NO_COLOR is not set.
[[nodiscard]] VMDSL_DECL terminal_log log_on_standard_output(bool quiet, bool verbose);

/// "3 passed, 1 failed, 1 skipped": passed and failed always, the others where there are any.
[[nodiscard]] VMDSL_DECL std::string to_string(const run_counts& counts);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/terminal.ipp>
#endif
