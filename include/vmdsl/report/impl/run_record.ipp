// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vmdsl/core/event.hpp>
#include <vmdsl/report/run_record.hpp>

namespace vmdsl {

namespace detail {

inline constexpr std::size_t kept_log_lines = 200;
inline constexpr std::size_t kept_log_line_bytes = 2000;

/// Whether it ended the worker, whatever the case was doing.
inline bool is_from_outside(problem_kind kind) noexcept {
    return kind == problem_kind::crash || kind == problem_kind::timeout || kind == problem_kind::interrupted;
}

inline std::vector<std::string> split_labels(std::string_view text) {
    std::vector<std::string> labels;
    while (!text.empty()) {
        const auto label = text.substr(0, text.find(','));
        if (!label.empty()) {
            labels.emplace_back(label);
        }
        text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    return labels;
}

VMDSL_DECL std::string seconds_text(double seconds) {
    std::array<char, 64> text{};
    const double shown = seconds >= 0 && seconds < 1e9 ? seconds : 0;
    const int length = std::snprintf(text.data(), text.size(), "%.3f", shown);
    return {text.data(), static_cast<std::size_t>(length)};
}

VMDSL_DECL std::string log_line_of(const event& e) {
    std::string line = e.machine.empty() ? "" : e.machine + ": ";
    switch (e.kind) {
        case event_kind::step:
            return line.append(static_cast<std::size_t>(e.number("depth")) * 2, ' ')
                .append("step: ")
                .append(e.text("text"));
        case event_kind::step_end:
            return line.append(static_cast<std::size_t>(e.number("depth")) * 2, ' ')
                .append(e.flag("passed") ? "done: " : "failed: ")
                .append(e.text("text"))
                .append("  ")
                .append(seconds_text(e.number("seconds")))
                .append(" s");
        case event_kind::phase_end:
            return line.append(e.text("text")).append("  ").append(seconds_text(e.number("seconds"))).append(" s");
        case event_kind::command:
            line.append(e.text("text")).append("  ").append(seconds_text(e.number("seconds"))).append(" s");
            return e.text("outcome").empty() ? line : line.append(": ").append(e.text("outcome"));
        case event_kind::warning:
            return line.append("warning: ").append(e.text("text"));
        case event_kind::phase:
            return line.append(e.text("text")).append(" ...");
        case event_kind::fault:
        case event_kind::fact:
        case event_kind::note:
            return line.append(e.text("text"));
        default:
            return {};
    }
}

inline bool same_problem(const problem& a, const problem& b) {
    return a.kind == b.kind && a.message == b.message && a.file == b.file && a.line == b.line;
}

VMDSL_DECL case_status status_of_failed(const std::vector<problem>& problems) {
    const bool verdict =
        std::any_of(problems.begin(), problems.end(), [](const auto& p) { return is_verdict(p.kind); });
    return verdict ? case_status::failed : case_status::errored;
}

}  // namespace detail

VMDSL_DECL std::string_view to_string(problem_kind kind) noexcept {
    switch (kind) {
        case problem_kind::check:
            return "check";
        case problem_kind::exception:
            return "exception";
        case problem_kind::infrastructure:
            return "infrastructure";
        case problem_kind::crash:
            return "crash";
        case problem_kind::timeout:
            return "timeout";
        case problem_kind::interrupted:
            return "interrupted";
    }
    return "";
}

VMDSL_DECL problem_kind problem_kind_of(const event& e) noexcept {
    if (e.kind == event_kind::check_failed) {
        return problem_kind::check;
    }
    for (const auto kind : {problem_kind::crash, problem_kind::timeout, problem_kind::interrupted}) {
        if (e.text("cause") == to_string(kind)) {
            return kind;
        }
    }
    return e.flag("infrastructure") ? problem_kind::infrastructure : problem_kind::exception;
}

VMDSL_DECL bool is_verdict(problem_kind kind) noexcept {
    return kind != problem_kind::infrastructure && kind != problem_kind::interrupted;
}

VMDSL_DECL void run_record::apply(const event& e) {
    switch (e.kind) {
        case event_kind::run_begin:
            return begin_again();
        case event_kind::plan:
            return plan(e);
        case event_kind::case_begin:
            return begin(e);
        case event_kind::case_end:
            return end(e);
        case event_kind::case_skipped:
            return skip(e);
        case event_kind::check_failed:
        case event_kind::exception:
            return add_problem(e);
        case event_kind::evidence:
            return add_evidence(e);
        case event_kind::step:
            return begin_step(e);
        case event_kind::step_end:
            return end_step(e);
        case event_kind::verb:
            verbs_.push_back(e);
            return;
        case event_kind::command:
            return end_verb(e);
        case event_kind::fact:
            return add_fact(e);
        case event_kind::phase:
            return;  // its end says it all
        case event_kind::file:
            files_.emplace_back(e.text("path"), e.text("text"));
            return;
        default:
            return add_log_line(e);
    }
}

VMDSL_DECL const case_record* run_record::running() const noexcept {
    return running_ == none ? nullptr : &cases_[running_];
}

VMDSL_DECL const case_record* run_record::find(std::string_view name) const noexcept {
    const auto found = std::find_if(cases_.begin(), cases_.end(), [&](const auto& c) { return c.name == name; });
    return found == cases_.end() ? nullptr : &*found;
}

VMDSL_DECL run_counts run_record::counts() const noexcept {
    run_counts counts;
    for (const auto& one : cases_) {
        counts.passed += one.status == case_status::passed ? 1U : 0U;
        counts.failed += one.status == case_status::failed ? 1U : 0U;
        counts.errored += one.status == case_status::errored ? 1U : 0U;
        counts.skipped += one.status == case_status::skipped ? 1U : 0U;
    }
    return counts;
}

VMDSL_DECL case_record& run_record::case_named(std::string_view name) {
    const auto [found, added] = index_.try_emplace(std::string(name), cases_.size());
    if (added) {
        cases_.emplace_back().name = name;
    }
    return cases_[found->second];
}

VMDSL_DECL void run_record::begin_again() {
    verbs_.clear();
    if (const auto index = std::exchange(running_, none); index != none) {
        auto& one = cases_[index];
        one.status = case_status::planned;
        one.problems.clear();
        one.evidence.clear();
        one.log.clear();
    }
}

VMDSL_DECL void run_record::plan(const event& e) {
    auto& one = case_named(e.text("name"));
    one.file = e.text("file");
    one.line = static_cast<std::int64_t>(e.number("line"));
    one.labels = detail::split_labels(e.text("labels"));
}

VMDSL_DECL void run_record::begin(const event& e) {
    auto& one = case_named(e.text("name"));
    running_ = none;
    steps_.clear();
    failed_step_.clear();
    failed_step_problem_.clear();
    if (!one.has_result()) {
        one.status = case_status::running;
        running_ = index_.find(one.name)->second;
        began_ = e.at;
    }
}

VMDSL_DECL void run_record::end(const event& e) {
    auto& one = case_named(e.text("name"));
    running_ = none;
    if (one.has_result()) {
        return;
    }
    one.seconds = e.number("seconds");
    if (e.flag("passed")) {
        // What failed was expected to fail.
        for (const auto& expected : one.problems) {
            one.log.push_back("expected failure: " + expected.message);
        }
        one.problems.clear();
        one.status = case_status::passed;
        return;
    }
    if (one.problems.empty()) {
        one.problems.push_back({problem_kind::check, "the case failed without a failed check or an exception", {}, 0});
    }
    one.status = detail::status_of_failed(one.problems);
}

VMDSL_DECL void run_record::skip(const event& e) {
    auto& one = case_named(e.text("name"));
    if (!one.has_result()) {
        one.status = case_status::skipped;
        one.skip_reason = e.text("reason");
        if (one.file.empty()) {  // a disabled case is in no plan
            one.file = e.text("file");
            one.line = static_cast<std::int64_t>(e.number("line"));
        }
    }
}

VMDSL_DECL void run_record::add_problem(const event& e) {
    problem added{problem_kind_of(e), std::string(e.text("message")), std::string(e.text("file")),
                  static_cast<std::int64_t>(e.number("line"))};
    if (detail::is_from_outside(added.kind)) {
        added.message += take_verbs();
    }
    if (running_ != none) {
        if (const auto step = step_of_problem(e); !step.empty()) {
            added.message += "\n  in step: " + step;
        }
        cases_[running_].problems.push_back(std::move(added));
        return;
    }
    auto& one = case_named(e.text("name", "(outside of any case)"));
    const auto same = [&](const auto& other) { return detail::same_problem(added, other); };
    if (std::none_of(one.problems.begin(), one.problems.end(), same)) {
        one.problems.push_back(std::move(added));
    }
    one.outside = true;
    one.status = detail::status_of_failed(one.problems);
}

VMDSL_DECL void run_record::begin_step(const event& e) {
    add_log_line(e);
    steps_.emplace_back(e.text("path"));
}

VMDSL_DECL void run_record::end_step(const event& e) {
    add_log_line(e);
    // Steps of several threads need not end in the reverse order.
    const auto open = std::find(steps_.rbegin(), steps_.rend(), e.text("path"));
    if (open != steps_.rend()) {
        steps_.erase(std::next(open).base());
    }
    if (!e.flag("passed") && (failed_step_.empty() || e.text("problem") != failed_step_problem_)) {
        failed_step_ = e.text("path");
        failed_step_problem_ = e.text("problem");
    }
}

VMDSL_DECL std::string run_record::step_of_problem(const event& e) const {
    // An exception is reported when it has left all steps, so it is told by its words.
    const bool left_a_step = e.kind == event_kind::exception && !failed_step_problem_.empty() &&
                             e.text("message").find(failed_step_problem_) != std::string_view::npos;
    return left_a_step ? failed_step_ : steps_.empty() ? std::string() : steps_.back();
}

VMDSL_DECL void run_record::end_verb(const event& e) {
    add_log_line(e);
    // Those of several threads need not end in the reverse order.
    const auto open = std::find_if(verbs_.rbegin(), verbs_.rend(), [&](const event& begun) {
        return begun.machine == e.machine && begun.text("text") == e.text("text");
    });
    if (open != verbs_.rend()) {
        verbs_.erase(std::next(open).base());
    }
}

VMDSL_DECL std::string run_record::take_verbs() {
    std::string text;
    for (const auto& begun : std::exchange(verbs_, {})) {
        text.append("\n  in verb: ").append(begun.machine).append(begun.machine.empty() ? "" : ": ");
        text += begun.text("text").substr(0, detail::kept_log_line_bytes);
        if (!begun.text("where").empty()) {
            text.append(" (").append(begun.text("where")).append(")");
        }
    }
    return text;
}

VMDSL_DECL void run_record::add_evidence(const event& e) {
    if (running_ == none) {
        return;
    }
    auto& all = cases_[running_].evidence;
    auto known = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.machine == e.machine; });
    if (known == all.end()) {
        const auto position = static_cast<std::int64_t>(e.number("position"));
        const auto next =
            std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.position > position; });
        known = all.insert(next, {e.machine, {}, {}, position});
    }
    known->console = e.text("console", known->console);
    known->console_file = e.text("console_file", known->console_file);
}

VMDSL_DECL void run_record::add_fact(const event& e) {
    const auto name = e.text("name");
    const auto known = std::find_if(facts_.begin(), facts_.end(), [&](const auto& one) { return one.first == name; });
    if (known == facts_.end()) {
        facts_.emplace_back(name, e.text("value"));
    } else {
        known->second = e.text("value");
    }
}

VMDSL_DECL void run_record::add_log_line(const event& e) {
    auto line = detail::log_line_of(e);
    if (running_ == none || line.empty()) {
        return;
    }
    line.resize(std::min(line.size(), detail::kept_log_line_bytes));
    auto& log = cases_[running_].log;
    if (log.size() >= detail::kept_log_lines) {
        log.erase(log.begin());
    }
    const std::chrono::duration<double> offset = e.at - began_;
    log.push_back("+" + detail::seconds_text(offset.count()) + " s  " + line);
}

}  // namespace vmdsl
