// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <deque>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/file_content.hpp>
#include <vmdsl/report/junit.hpp>
#include <vmdsl/report/printable.hpp>
#include <vmdsl/report/run_record.hpp>

namespace vmdsl {

namespace detail {

inline constexpr std::size_t junit_text_limit = std::size_t{64} * 1024;
inline constexpr std::size_t junit_message_limit = 1024;

inline void append_xml_attribute(std::string& out, std::string_view name, std::string_view value) {
    out.append(" ").append(name).append("=\"").append(xml_attribute(value)).append("\"");
}

/// "suite/inner/case" -> "suite/inner" and "case". Boost.Test replaces slashes in names of its own.
inline std::pair<std::string_view, std::string_view> split_case_name(std::string_view name) {
    const auto slash = name.rfind('/');
    return slash == std::string_view::npos ? std::pair{std::string_view{}, name}
                                           : std::pair{name.substr(0, slash), name.substr(slash + 1)};
}

inline std::string junit_suite_name(std::string_view program, std::string_view case_name) {
    std::string name(program);
    if (const auto path = split_case_name(case_name).first; !path.empty()) {
        name.append(".").append(path);
        std::replace(name.begin() + static_cast<std::ptrdiff_t>(program.size()), name.end(), '/', '.');
    }
    return name;
}

/// The figures of one suite, or of all.
struct junit_counts {
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skipped = 0;
    double seconds = 0;

    void add(const case_record& one) {
        ++tests;
        failures += one.status == case_status::failed ? 1U : 0U;
        errors += one.status == case_status::errored ? 1U : 0U;
        skipped += one.status == case_status::skipped ? 1U : 0U;
        seconds += one.seconds;
    }

    void append_to(std::string& out) const {
        append_xml_attribute(out, "tests", std::to_string(tests));
        append_xml_attribute(out, "failures", std::to_string(failures));
        append_xml_attribute(out, "errors", std::to_string(errors));
        append_xml_attribute(out, "skipped", std::to_string(skipped));
        append_xml_attribute(out, "time", seconds_text(seconds));
    }
};

struct junit_entry {
    const case_record* what;
    bool final;  ///< Will never be anything else.
};

struct junit_suite {
    std::string name;
    std::vector<junit_entry> entries;
    junit_counts counts;
};

/// The suites in the order of their first case.
inline std::vector<junit_suite> group_into_suites(const std::vector<junit_entry>& entries, std::string_view program) {
    std::vector<junit_suite> suites;
    std::unordered_map<std::string, std::size_t> index;
    for (const auto& entry : entries) {
        auto name = junit_suite_name(program, entry.what->name);
        const auto [found, added] = index.try_emplace(name, suites.size());
        if (added) {
            suites.push_back({std::move(name), {}, {}});
        }
        suites[found->second].entries.push_back(entry);
        suites[found->second].counts.add(*entry.what);
    }
    return suites;
}

/// A case without a result, as it has to be reported should the run be killed now.
inline case_record as_if_killed(case_record one) {
    if (one.status == case_status::planned) {
        one.status = case_status::skipped;
        one.skip_reason = "not run";
        return one;
    }
    one.problems.push_back(
        {problem_kind::interrupted, "the case had not ended when this file was written", one.file, one.line});
    one.status = status_of_failed(one.problems);
    return one;
}

/// What makes a file red that is written between two cases.
inline case_record unfinished_run() {
    case_record run;
    run.name = "(run)";
    run.status = case_status::errored;
    run.problems.push_back({problem_kind::interrupted, "the run had not ended when this file was written", {}, 0});
    return run;
}

inline void append_junit_properties(std::string& out, std::string_view indent,
                                    const std::vector<std::pair<std::string, std::string>>& properties) {
    if (properties.empty()) {
        return;
    }
    out.append(indent).append("<properties>\n");
    for (const auto& [name, value] : properties) {
        out.append(indent).append("  <property");
        append_xml_attribute(out, "name", name);
        append_xml_attribute(out, "value", value);
        out += "/>\n";
    }
    out.append(indent).append("</properties>\n");
}

inline void append_junit_problem(std::string& out, std::string_view element, const problem& p) {
    out.append("      <").append(element);
    append_xml_attribute(out, "message", first_line(p.message).substr(0, junit_message_limit));
    append_xml_attribute(out, "type", to_string(p.kind));
    out += '>';
    if (!p.file.empty()) {
        out.append(xml_text(p.file)).append(":").append(std::to_string(p.line)).append(": ");
    }
    out.append(xml_text(tail_of(p.message, junit_text_limit))).append("</").append(element).append(">\n");
}

inline std::string junit_case_output(const case_record& one) {
    std::string text;
    for (const auto& line : one.log) {
        text.append(line).append("\n");
    }
    for (const auto& found : one.evidence) {
        text.append("console of ").append(found.machine);
        if (found.console.empty()) {
            text.append(": ").append(found.console_file).append("\n");
            continue;
        }
        text.append(found.console_file.empty() ? "" : " (all of it: " + found.console_file + ")").append(":\n");
        text.append(tail_of(found.console, junit_text_limit)).append("\n");
    }
    return text;
}

inline std::string render_junit_case(const case_record& one, std::string_view suite) {
    std::string out = "    <testcase";
    append_xml_attribute(out, "classname", suite);
    append_xml_attribute(out, "name", split_case_name(one.name).second);
    if (!one.file.empty()) {
        append_xml_attribute(out, "file", one.file);
        append_xml_attribute(out, "line", std::to_string(one.line));
    }
    append_xml_attribute(out, "time", seconds_text(one.seconds));
    out += ">\n";
    std::vector<std::pair<std::string, std::string>> properties;
    for (const auto& label : one.labels) {
        properties.emplace_back("label", label);
    }
    append_junit_properties(out, "      ", properties);
    for (const auto& p : one.problems) {
        append_junit_problem(out, one.status == case_status::failed ? "failure" : "error", p);
    }
    if (one.status == case_status::skipped) {
        out += "      <skipped";
        append_xml_attribute(out, "message", one.skip_reason);
        out += "/>\n";
    }
    if (const auto text = junit_case_output(one); !text.empty() && one.status != case_status::passed) {
        out.append("      <system-out>").append(xml_text(text)).append("</system-out>\n");
    }
    return out.append("    </testcase>\n");
}

/// What to say and to do where a result file can't be written.
inline could_not_run can_not_write(const std::filesystem::path& file, int error_number) {
    return could_not_run("can't write " + file.string() + ": " + std::strerror(error_number),
                         error_number == ENOSPC || error_number == EDQUOT
                             ? "Free some space on that disk, or name a folder on another one with --output."
                             : "Name another folder with --output.");
}

}  // namespace detail

VMDSL_DECL std::string junit_report::render(const run_record& run, run_stage stage) {
    std::deque<case_record> made_up;
    std::vector<detail::junit_entry> entries;
    for (const auto& one : run.cases()) {
        if (one.has_result()) {
            entries.push_back({&one, !one.outside});  // what is outside of any case may still get worse
        } else {
            entries.push_back({&made_up.emplace_back(detail::as_if_killed(one)), false});
        }
    }
    if (stage == run_stage::under_way && run.running() == nullptr) {
        entries.push_back({&made_up.emplace_back(detail::unfinished_run()), false});
    }
    const auto suites = detail::group_into_suites(entries, header_.name);
    auto properties = header_.properties;
    properties.insert(properties.end(), run.facts().begin(), run.facts().end());
    detail::junit_counts all;
    for (const auto& suite : suites) {
        all.tests += suite.counts.tests;
        all.failures += suite.counts.failures;
        all.errors += suite.counts.errors;
        all.skipped += suite.counts.skipped;
        all.seconds += suite.counts.seconds;
    }
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites";
    detail::append_xml_attribute(out, "name", header_.name);
    all.append_to(out);
    out += ">\n";
    for (const auto& suite : suites) {
        out += "  <testsuite";
        detail::append_xml_attribute(out, "name", suite.name);
        suite.counts.append_to(out);
        detail::append_xml_attribute(out, "timestamp", header_.timestamp);
        detail::append_xml_attribute(out, "hostname", header_.hostname);
        out += ">\n";
        detail::append_junit_properties(out, "    ", properties);
        for (const auto& entry : suite.entries) {
            out += entry.final ? rendered_once(*entry.what, suite.name)
                               : detail::render_junit_case(*entry.what, suite.name);
        }
        out += "  </testsuite>\n";
    }
    return out.append("</testsuites>\n");
}

VMDSL_DECL const std::string& junit_report::rendered_once(const case_record& one, std::string_view suite) {
    auto& text = rendered_[one.name];
    if (text.empty()) {
        text = detail::render_junit_case(one, suite);
    }
    return text;
}

VMDSL_DECL void replace_file(const std::filesystem::path& file, std::string_view content) {
    auto temporary = file;
    temporary += ".tmp";
    int reason = detail::try_to_write_content(temporary, content);
    if (reason == 0 && ::rename(temporary.c_str(), file.c_str()) != 0) {
        reason = errno;
    }
    if (reason != 0) {
        ::unlink(temporary.c_str());
        throw detail::can_not_write(file, reason);
    }
}

}  // namespace vmdsl
