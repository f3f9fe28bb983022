// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <iostream>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <vmdsl/core/event.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/report/printable.hpp>
#include <vmdsl/report/run_record.hpp>
#include <vmdsl/report/terminal.hpp>

namespace vmdsl {

namespace detail {

inline constexpr const char* green = "\033[32m";
inline constexpr const char* red = "\033[31m";
inline constexpr const char* yellow = "\033[33m";
inline constexpr std::size_t terminal_text_limit = std::size_t{8} * 1024;
inline constexpr std::size_t terminal_first_lines = 10;
inline constexpr std::size_t terminal_last_lines = 30;

/// The text's first and last lines, where it has more than these. A line between them says how many are left out, and
/// which file has them.
inline std::string without_middle(std::string_view text, const std::string& file) {
    std::vector<std::size_t> line_begins{0};
    for (auto end = text.find('\n'); end != std::string_view::npos && end + 1 < text.size();
         end = text.find('\n', end + 1)) {
        line_begins.push_back(end + 1);
    }
    if (line_begins.size() <= terminal_first_lines + terminal_last_lines) {
        return tail_of(text, terminal_text_limit);
    }
    const auto left_out = line_begins.size() - terminal_first_lines - terminal_last_lines;
    return std::string(text.substr(0, line_begins[terminal_first_lines])) + "(" + std::to_string(left_out) +
           " more lines" + (file.empty() ? "" : ": " + file) + ")\n" +
           tail_of(text.substr(line_begins[terminal_first_lines + left_out]), terminal_text_limit);
}

/// The word in the first column, and its colour.
struct status_label {
    std::string_view word;
    const char* colour;
};

inline status_label label_of(case_status status) {
    switch (status) {
        case case_status::passed:
            return {"ok", green};
        case case_status::failed:
            return {"FAILED", red};
        case case_status::errored:
            return {"ERROR", red};
        case case_status::skipped:
            return {"skipped", yellow};
        case case_status::planned:
        case case_status::running:
            break;
    }
    return {"", ""};
}

}  // namespace detail

VMDSL_DECL terminal_log log_on_standard_output(bool quiet, bool verbose) {
    const bool colour = ::isatty(STDOUT_FILENO) == 1 && detail::environment_text("NO_COLOR").empty();
    const auto loud = verbose ? verbosity::verbose : verbosity::normal;
    return {std::cout, quiet ? verbosity::quiet : loud, colour};
}

VMDSL_DECL std::string to_string(const run_counts& counts) {
    std::string text = std::to_string(counts.passed) + " passed, " + std::to_string(counts.failed) + " failed";
    if (counts.errored > 0) {
        text += ", " + std::to_string(counts.errored) + " could not run";
    }
    if (counts.skipped > 0) {
        text += ", " + std::to_string(counts.skipped) + " skipped";
    }
    return text;
}

VMDSL_DECL std::string terminal_log::coloured(std::string_view word, const char* code) const {
    return colour_ ? std::string(code).append(word).append("\033[0m") : std::string(word);
}

VMDSL_DECL void terminal_log::say(std::string_view line) {
    if (level_ != verbosity::quiet) {
        *out_ << "vmdsl: " << printable(line) << '\n' << std::flush;
    }
}

VMDSL_DECL void terminal_log::show(const event& e, const run_record& run) {
    switch (e.kind) {
        case event_kind::case_end:
        case event_kind::case_skipped:
            if (const auto* one = run.find(e.text("name")); one != nullptr) {
                show_case(*one);
            }
            break;
        case event_kind::check_failed:
        case event_kind::exception:
            if (run.running() == nullptr) {
                show_outside_problem(e, run);
            }
            break;
        case event_kind::case_begin:
            if (level_ == verbosity::verbose) {
                *out_ << "begins   " << printable(e.text("name")) << '\n';
            }
            break;
        case event_kind::fact:
            show_fact(e);
            break;
        default:
            show_detail(e);
    }
    out_->flush();
}

VMDSL_DECL void terminal_log::show_outside_problem(const event& e, const run_record& run) {
    const auto* one = run.find(e.text("name"));
    show_name(one == nullptr ? case_status::failed : one->status, e.text("name"));
    *out_ << '\n';
    show_problem({problem_kind_of(e), std::string(e.text("message")), std::string(e.text("file")),
                  static_cast<std::int64_t>(e.number("line"))});
}

VMDSL_DECL void terminal_log::show_name(case_status status, std::string_view name) {
    const auto label = detail::label_of(status);
    *out_ << coloured(label.word, label.colour) << std::string(9 - label.word.size(), ' ') << printable(name);
}

VMDSL_DECL void terminal_log::show_detail(const event& e) {
    const bool always = e.kind == event_kind::phase || e.kind == event_kind::phase_end ||
                        e.kind == event_kind::warning || e.kind == event_kind::step ||
                        (e.kind == event_kind::step_end && !e.flag("passed"));
    if (level_ == verbosity::quiet || (level_ == verbosity::normal && !always)) {
        return;
    }
    if (const auto line = detail::log_line_of(e); !line.empty()) {
        show_block(line, "       . ");
    }
}

VMDSL_DECL void terminal_log::show_fact(const event& e) {
    if (level_ != verbosity::quiet && facts_shown_.emplace(e.text("text")).second) {
        show_block(detail::log_line_of(e), "       . ");
    }
}

VMDSL_DECL void terminal_log::show_case(const case_record& one) {
    const bool fine = one.status == case_status::passed || one.status == case_status::skipped;
    if (level_ == verbosity::quiet && fine) {
        return;
    }
    show_name(one.status, one.name);
    if (one.status == case_status::skipped) {
        *out_ << "  (" << printable(first_line(one.skip_reason)) << ")\n";
        return;
    }
    *out_ << "  " << detail::seconds_text(one.seconds) << " s\n";
    for (const auto& p : one.problems) {
        show_problem(p);
    }
    if (fine) {
        return;
    }
    for (const auto& found : one.evidence) {
        if (!found.console.empty()) {
            *out_ << "         console of " << printable(found.machine) << " ended with:\n";
            show_block(detail::without_middle(found.console, found.console_file), "           | ");
        }
        if (!found.console_file.empty()) {
            *out_ << "         all of the console: " << printable(found.console_file) << '\n';
        }
    }
}

VMDSL_DECL void terminal_log::show_problem(const problem& p) {
    std::string text;
    if (!p.file.empty()) {
        text = p.file + ":" + std::to_string(p.line) + ": ";
    }
    show_block(detail::without_middle(text + p.message, whole_texts_), "         ");
}

VMDSL_DECL void terminal_log::show_block(std::string_view text, std::string_view mark) {
    const auto shown = printable(text);
    std::string_view rest = shown;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        *out_ << mark << rest.substr(0, end) << '\n';
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
}

VMDSL_DECL void terminal_log::summarise(const run_record& run, double seconds) {
    const auto counts = run.counts();
    const bool fine = counts.failed + counts.errored == 0;
    *out_ << '\n';
    for (const auto& one : run.cases()) {
        if (one.status == case_status::failed || one.status == case_status::errored) {
            show_name(one.status, one.name);
            *out_ << '\n';
        }
    }
    *out_ << coloured(to_string(counts), fine ? detail::green : detail::red) << " in " << detail::seconds_text(seconds)
          << " s\n";
    for (const auto& [path, text] : run.files()) {
        *out_ << "  " << printable(text) << ": " << printable(path) << '\n';
    }
    out_->flush();
}

}  // namespace vmdsl
