// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/event.hpp>

namespace vmdsl {

/// Why a case did not pass.
enum class problem_kind : std::uint8_t {
    check,           ///< An assertion failed.
    exception,       ///< An exception left the case.
    infrastructure,  ///< The test could not run: no QEMU, no space, ... No verdict about what is tested.
    crash,           ///< The worker process ended in the middle of the case.
    timeout,         ///< The case did not end in time.
    interrupted,     ///< The user ended the run.
};

/// One thing that went wrong.
struct problem {
    problem_kind kind{};
    std::string message;
    std::string file;
    std::int64_t line = 0;
};

/// What a machine said before a case failed. There is one per machine, in the order of their positions: what is said
/// later about it replaces what was said before.
struct case_evidence {
    std::string machine;
    std::string console;        ///< The end of its console; empty where that is not known.
    std::string console_file;   ///< Where the whole console lies.
    std::int64_t position = 0;  ///< Of the machine in its network.
};

/// How far a case got.
enum class case_status : std::uint8_t {
    planned,  ///< Not begun.
    running,  ///< Begun, not ended.
    passed,
    failed,   ///< With at least one problem that is a verdict about what is tested (or a crash, or a timeout).
    errored,  ///< It could not run, or was interrupted: all of its problems say nothing about what is tested.
    skipped,
};

/// Everything known about one case.
struct case_record {
    std::string name;  ///< With its suites: "subversion/a_commit".
    std::string file;
    std::int64_t line = 0;
    std::vector<std::string> labels;
    case_status status = case_status::planned;
    double seconds = 0;
    std::string skip_reason;
    std::vector<problem> problems;
    std::vector<case_evidence> evidence;
    std::vector<std::string> log;  ///< What happened: commands, phases, notes; the last ones.
    bool outside = false;          ///< No case at all, but what went wrong around them (a fixture, the worker).

    [[nodiscard]] bool has_result() const noexcept { return status > case_status::running; }
};

/// How many cases ended how.
struct run_counts {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t errored = 0;
    std::size_t skipped = 0;

    [[nodiscard]] std::size_t total() const noexcept { return passed + failed + errored + skipped; }
};

/// The state of a run, built from its events and from nothing else.
///
/// Events of a second worker (after the first one died) go on where the first one's ended: a case that has a result
/// keeps it, whatever is said about it later, and one that was running without getting a result is as if never begun. A
/// problem outside of any case becomes a record of its own. What ended the worker from outside (a crash, a timeout, an
/// interruption) is told with the verbs that were under way.
class run_record {
public:
    VMDSL_DECL void apply(const event& e);

    /// In the order of the plan. A reference stays valid until the next `apply`.
    [[nodiscard]] const std::vector<case_record>& cases() const noexcept { return cases_; }
    /// The case that has begun and not ended; null where none has.
    [[nodiscard]] VMDSL_DECL const case_record* running() const noexcept;
    /// The case of that name; null where there is none.
    [[nodiscard]] VMDSL_DECL const case_record* find(std::string_view name) const noexcept;
    [[nodiscard]] VMDSL_DECL run_counts counts() const noexcept;
    /// What holds for the whole run: names and values, in the order of their announcement.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& facts() const noexcept { return facts_; }
    /// Result files and what they are, in the order of their announcement.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& files() const noexcept { return files_; }

private:
    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    VMDSL_DECL case_record& case_named(std::string_view name);
    VMDSL_DECL void begin_again();
    VMDSL_DECL void plan(const event& e);
    VMDSL_DECL void begin(const event& e);
    VMDSL_DECL void end(const event& e);
    VMDSL_DECL void skip(const event& e);
    VMDSL_DECL void add_problem(const event& e);
    VMDSL_DECL void add_evidence(const event& e);
    VMDSL_DECL void add_fact(const event& e);
    VMDSL_DECL void add_log_line(const event& e);
    VMDSL_DECL void end_verb(const event& e);
    /// Those under way, as text; none is afterwards, since what ends a worker ends them.
    [[nodiscard]] VMDSL_DECL std::string take_verbs();
    VMDSL_DECL void begin_step(const event& e);
    VMDSL_DECL void end_step(const event& e);
    [[nodiscard]] VMDSL_DECL std::string step_of_problem(const event& e) const;

    std::vector<case_record> cases_;
    std::unordered_map<std::string, std::size_t> index_;
    std::size_t running_ = none;
    std::chrono::nanoseconds began_{};
    std::vector<event> verbs_;        // those that have begun and not ended
    std::vector<std::string> steps_;  // the paths of those that the running case is in
    std::string failed_step_;         // the innermost one that an exception has left, and the exception's words
    std::string failed_step_problem_;
    std::vector<std::pair<std::string, std::string>> facts_;
    std::vector<std::pair<std::string, std::string>> files_;
};

/// The problem's kind from an event's fields: `cause` where the supervisor says so, else from the event's own kind.
[[nodiscard]] VMDSL_DECL problem_kind problem_kind_of(const event& e) noexcept;

/// The word for the kind, as it stands in the `cause` field and in JUnit's `type`: "check", "timeout", ...
[[nodiscard]] VMDSL_DECL std::string_view to_string(problem_kind kind) noexcept;

/// Whether the problem says something about what is tested, as against "could not run".
[[nodiscard]] VMDSL_DECL bool is_verdict(problem_kind kind) noexcept;

namespace detail {

/// "1.234": seconds the way the logs and JUnit show them.
[[nodiscard]] VMDSL_DECL std::string seconds_text(double seconds);

/// A fact, command, phase, fault, note or warning as a line of a log; empty for other events.
[[nodiscard]] VMDSL_DECL std::string log_line_of(const event& e);

/// What a case with these problems is: `failed` or `errored`.
[[nodiscard]] VMDSL_DECL case_status status_of_failed(const std::vector<problem>& problems);

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/run_record.ipp>
#endif
