// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/coverage/files.hpp>
#include <vmdsl/coverage/gcov.hpp>
#include <vmdsl/coverage/line_counts.hpp>
#include <vmdsl/coverage/report.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/coverage/tool.hpp>

namespace vmdsl {

namespace detail {

/// All counts of a run, by machine and by machine and case.
struct run_counts_by_place {
    std::map<std::string, line_counts> builds;  // by folder
    std::map<std::string, line_counts> machines;
    std::map<std::pair<std::string, std::string>, line_counts> cases;  // (machine, case)
};

/// Takes a shard in, as far as it can be read; returns what is missing.
inline std::vector<std::string> take_shard(run_counts_by_place& run, const coverage_shard& shard) {
    auto problems = shard.problems;
    if (shard.builds.empty()) {
        return problems;  // it says why there are no counters, and nothing else
    }
    auto& machine = run.machines[shard.machine];
    for (const auto& build : shard.builds) {
        if (const auto [place, is_new] = run.builds.try_emplace(build.folder); is_new) {
            try {
                place->second = lines_of_build(build);
            } catch (const error& problem) {
                problems.push_back(problem.details().what_failed);
            }
        }
        for (const auto& [file, counts] : run.builds[build.folder]) {
            if (machine.find(file) == machine.end()) {
                machine.emplace(file, counts);
            }
        }
    }
    const auto found = counts_of_shard(shard);
    problems.insert(problems.end(), found.problems.begin(), found.problems.end());
    add(machine, found.counts);
    add(run.cases[{shard.machine, shard.test}], found.counts);
    return problems;
}

inline std::size_t count_lines(const line_counts& counts) {
    std::size_t number = 0;
    for (const auto& [file, source] : counts) {
        number += source.lines.size();
    }
    return number;
}

inline std::size_t count_lines_run(const line_counts& counts) {
    std::size_t number = 0;
    for (const auto& [file, source] : counts) {
        number += source.lines_run();
    }
    return number;
}

inline bool has_run(const line_counts& counts, const std::string& file, unsigned line) {
    const auto source = counts.find(file);
    if (source == counts.end()) {
        return false;
    }
    const auto found = source->second.lines.find(line);
    return found != source->second.lines.end() && found->second > 0;
}

/// How many lines ran on this machine and on no other.
inline std::size_t count_only_here(const run_counts_by_place& run, const std::string& machine) {
    std::size_t number = 0;
    for (const auto& [file, source] : run.machines.at(machine)) {
        for (const auto& [line, runs] : source.lines) {
            bool here_only = runs > 0;
            for (const auto& [other, counts] : run.machines) {
                here_only = here_only && (other == machine || !has_run(counts, file, line));
            }
            number += here_only ? 1 : 0;
        }
    }
    return number;
}

inline void run_genhtml(coverage_report& report, const std::filesystem::path& folder) {
    const auto program = find_tool("genhtml");
    if (program.empty()) {
        report.no_html = "genhtml is not installed (Debian package lcov)";
        return;
    }
    const auto log = folder / "genhtml.log";
    std::vector<std::string> words{program,
                                   "--quiet",
                                   "--show-details",
                                   "--legend",
                                   "--ignore-errors",
                                   "source",  // a file that is no longer there costs its own page only
                                   "--title",
                                   "vmdsl",
                                   "--output-directory",
                                   (folder / "html").string(),
                                   report.tracefile.string()};
    if (!find_tool("c++filt").empty()) {
        words.emplace_back("--demangle-cpp");
    }
    if (const int code = run_tool(words, folder, log, log); code != 0) {
        report.no_html = fmt::format("genhtml ended with code {}, see {}", code, log.string());
        return;
    }
    report.html = folder / "html" / "index.html";
}

/// A name for an lcov test that no other one has.
inline std::string unused_test_name(std::set<std::string>& used, const std::string& wanted) {
    const auto name = lcov_test_name(wanted);
    auto unused = name;
    for (int number = 2; !used.insert(unused).second; ++number) {
        unused = fmt::format("{}_{}", name, number);
    }
    return unused;
}

inline std::string percentage(std::size_t part, std::size_t whole) {
    return whole == 0 ? "0 %" : fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

}  // namespace detail

VMDSL_DECL coverage_report write_coverage_report(const std::filesystem::path& folder) {
    coverage_report report;
    detail::run_counts_by_place run;
    for (const auto& shard : read_shards(folder / "shards")) {
        for (const auto& problem : detail::take_shard(run, shard)) {
            report.problems.push_back(
                shard.machine.empty() ? problem : fmt::format("{}, {}: {}", shard.machine, shard.test, problem));
        }
    }
    if (run.machines.empty()) {
        return report;
    }
    std::string by_machine;
    std::string by_case;
    line_counts all;
    for (const auto& [machine, counts] : run.machines) {
        report.machines.push_back({machine, detail::count_lines(counts), detail::count_lines_run(counts),
                                   detail::count_only_here(run, machine)});
        by_machine += to_tracefile(machine, counts);
        add(all, counts);
    }
    std::set<std::string> used;
    for (const auto& [place, counts] : run.cases) {
        by_case += to_tracefile(detail::unused_test_name(used, place.first + "__" + place.second), counts);
    }
    report.lines = detail::count_lines(all);
    report.lines_run = detail::count_lines_run(all);
    report.tracefile = folder / "coverage.info";
    report.by_case = folder / "cases.info";
    detail::write_result_file(report.tracefile, by_machine);
    detail::write_result_file(report.by_case, by_case);
    detail::run_genhtml(report, folder);
    return report;
}

VMDSL_DECL std::string summary_of(const coverage_report& report) {
    constexpr std::size_t most_problems = 10;
    std::string text;
    const auto out = std::back_inserter(text);
    for (const auto& one : report.machines) {
        fmt::format_to(out, "  coverage of {}: {} of {} lines, {} of them on no other machine\n", one.machine,
                       detail::percentage(one.lines_run, one.lines), one.lines, one.only_here);
    }
    if (!report.machines.empty()) {
        fmt::format_to(out, "  coverage of all machines: {} of {} lines\n  tracefiles: {}, {}\n",
                       detail::percentage(report.lines_run, report.lines), report.lines, report.tracefile.string(),
                       report.by_case.string());
    }
    if (!report.html.empty()) {
        fmt::format_to(out, "  coverage, to look at: {}\n", report.html.string());
    } else if (!report.no_html.empty()) {
        fmt::format_to(out, "  no HTML of the coverage: {}\n", report.no_html);
    }
    for (std::size_t i = 0; i < report.problems.size() && i < most_problems; ++i) {
        fmt::format_to(out, "  COVERAGE IS NOT COMPLETE: {}\n", report.problems[i]);
    }
    if (report.problems.size() > most_problems) {
        fmt::format_to(out, "  ... and {} more reasons, in the shard.json files\n",
                       report.problems.size() - most_problems);
    }
    return text;
}

}  // namespace vmdsl
