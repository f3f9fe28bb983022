// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What an event says, by its kind; each has the fields that are named beside it. The terminal log, JUnit and every
/// later reader are made from these and from nothing else.
enum class event_kind : std::uint8_t {
    run_begin,     ///< A worker is up. Fields: pid.
    plan,          ///< One per case that will run, first. Fields: name, file, line, labels (comma-separated).
    case_begin,    ///< Fields: name.
    case_time,     ///< The time that the case may take begins anew: its checkpoint is made now, or has been made; or
                   ///< coverage is collected.
    case_end,      ///< Fields: name, seconds, passed.
    case_skipped,  ///< Fields: name, reason.
    check_failed,  ///< A failed assertion. Fields: message, file, line.
    exception,     ///< An exception left the case. Fields: message, file, line, infrastructure (could_not_run).
    evidence,      ///< Of one machine: where its console lies, said when it starts; what it showed, said when a case
                   ///< failed. Fields: console, console_file, offset (where this start's part of the file begins),
                   ///< position (among the network's machines, from 0).
    phase,         ///< Something long begins: boot, checkpoint, restore. Fields: text.
    phase_end,     ///< Fields: text, seconds.
    step,          ///< A named step of a case begins. Fields: text (its name), path (with those around it), depth.
    step_end,      ///< Fields: text, path, depth, seconds, passed; problem (what left it), where it did not pass.
    verb,          ///< A verb begins. Fields: text, where (the call in the spec: "file:line").
    command,       ///< It ended. Fields: text, seconds, outcome.
    fault,         ///< A link was cut, healed, ... Fields: text.
    note,          ///< A line for the log. Fields: text.
    warning,       ///< Same, for what a user should act on. Fields: text.
    fact,          ///< What holds for the whole run, said by each worker. Fields: name, value, text (for the log).
    file,          ///< A result file to be named at the end. Fields: path, text (what it is).
    coverage,      ///< A machine's instrumented programs count from now on, or what they counted is no longer to be had
                   ///< (it was collected, or given up). Fields: counting.
    ready,         ///< A network waits for a person. Fields: folder (its socket's), prompt (a program).
    run_end,       ///< The worker is done. Fields: failed (number of cases).
};

/// The name that stands in the JSON lines, for example "case_begin".
[[nodiscard]] VMDSL_DECL std::string_view to_string(event_kind kind) noexcept;

/// One entry of the event stream. A value, safe to keep; the text that its members return lives as long as the event.
struct event {
    using value = std::variant<std::string, std::int64_t, double, bool>;

    std::chrono::nanoseconds at{};  ///< CLOCK_MONOTONIC, so that several processes of one host agree.
    event_kind kind{};
    std::string machine;  ///< Empty where no single machine is concerned.
    std::vector<std::pair<std::string, value>> fields;

    /// The field's text, or `fallback` where it is missing or no text.
    [[nodiscard]] VMDSL_DECL std::string_view text(std::string_view name,
                                                   std::string_view fallback = {}) const noexcept;
    /// The field as a number (integers converted), or `fallback` where it is missing, no number, or not-a-number.
    [[nodiscard]] VMDSL_DECL double number(std::string_view name, double fallback = 0) const noexcept;
    /// The field's truth value, or `fallback` where it is missing or no truth value.
    [[nodiscard]] VMDSL_DECL bool flag(std::string_view name, bool fallback = false) const noexcept;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/event.ipp>
#endif
