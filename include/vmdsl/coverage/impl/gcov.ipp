// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_to.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/coverage/collection.hpp>
#include <vmdsl/coverage/files.hpp>
#include <vmdsl/coverage/gcov.hpp>
#include <vmdsl/coverage/tool.hpp>

namespace vmdsl {

namespace detail {

/// A file's path on the host, empty where it is not part of the build.
inline std::string host_path(const boost::json::value& file, const boost::json::value& document,
                             const instrumented_build& build) {
    auto path = std::filesystem::path(boost::json::value_to<std::string>(file.at("file")));
    if (path.is_relative()) {
        path = boost::json::value_to<std::string>(document.at("current_working_directory")) / path;
    }
    const auto clean = path.lexically_normal();
    if (!clean.string().starts_with(build.guest_folder + "/")) {
        return {};
    }
    return (std::filesystem::path(build.folder) / "tree" / clean.relative_path()).string();
}

inline run_count runs_of(const boost::json::value& number) {
    return static_cast<run_count>(std::max<std::int64_t>(number.to_number<std::int64_t>(), 0));
}

inline void add_gcov_file(source_counts& counts, const boost::json::value& file) {
    // A line stands once for each function that has code on it.
    for (const auto& line : file.at("lines").as_array()) {
        counts.lines[line.at("line_number").to_number<unsigned>()] += runs_of(line.at("count"));
    }
    for (const auto& function : file.at("functions").as_array()) {
        auto& ours = counts.functions[boost::json::value_to<std::string>(function.at("name"))];
        ours.line = function.at("start_line").to_number<unsigned>();
        ours.runs += runs_of(function.at("execution_count"));
    }
}

/// Files below a folder with this extension, relative to it.
inline std::vector<std::string> files_below(const std::filesystem::path& folder, std::string_view extension) {
    std::vector<std::string> found;
    std::error_code ec;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, ec)) {
        if (entry.path().extension() == extension) {
            found.push_back(entry.path().lexically_relative(folder).string());
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

/// What gcov says of some files of a folder. Throws `error` where that fails.
inline line_counts run_gcov(const instrumented_build& build, const std::filesystem::path& folder,
                            std::span<const std::string> files, const std::filesystem::path& scratch) {
    std::vector<std::string> words{build.folder + "/gcov", "--json-format", "--stdout"};
    words.insert(words.end(), files.begin(), files.end());
    const auto output = scratch.string() + ".json";
    const auto log = scratch.string() + ".log";
    if (const int code = run_tool(words, folder, output, log); code != 0) {
        throw error("the build's gcov, " + words[0] + ", ended with code " + std::to_string(code) +
                    "; what it said is in " + log);
    }
    line_counts counts;
    add_gcov_output(counts, read_bytes(output), build);
    return counts;
}

/// What gcov has said about counters, empty where that is nothing. What it says about sources and notes alone is left
/// out: headers of this host that are newer than the notes, functions without lines.
inline std::string complaint_in(std::string_view log) {
    constexpr std::array harmless{"source file is newer than notes file", "displayed only once per source file",
                                  "no lines for '", "no functions found"};
    std::string first;
    std::size_t number = 0;
    while (!log.empty()) {
        const auto line = take_until(log, '\n');
        if (line.empty() || std::any_of(harmless.begin(), harmless.end(), [&](const char* words) {
                return line.find(words) != std::string_view::npos;
            })) {
            continue;
        }
        if (++number == 1) {
            first = line;
        }
    }
    return number < 2 ? first : first + " (and " + std::to_string(number - 1) + " more lines)";
}

}  // namespace detail

VMDSL_DECL void add_gcov_output(line_counts& counts, std::string_view text, const instrumented_build& build) {
    try {
        while (!text.empty()) {
            const auto line = detail::take_until(text, '\n');
            if (line.empty()) {
                continue;
            }
            const auto document = boost::json::parse(boost::json::string_view(line.data(), line.size()));
            for (const auto& file : document.at("files").as_array()) {
                if (const auto path = detail::host_path(file, document, build); !path.empty()) {
                    detail::add_gcov_file(counts[path], file);
                }
            }
        }
    } catch (const error&) {
        throw;
    } catch (const std::exception& problem) {
        throw error(std::string("what gcov printed can't be read: ") + problem.what());
    }
}

VMDSL_DECL line_counts lines_of_build(const instrumented_build& build) {
    const auto text = detail::read_bytes(std::filesystem::path(build.folder) / "baseline.json");
    if (text.empty()) {
        throw error("the build in " + build.folder + " is no longer in the cache: its lines are not known");
    }
    line_counts counts;
    add_gcov_output(counts, text, build);
    return counts;
}

VMDSL_DECL shard_counts counts_of_shard(const coverage_shard& shard) {
    constexpr std::size_t at_a_time = 100;  // gcov holds all of them in memory
    const auto scratch = shard.folder / "gcov";
    const std::filesystem::path log = scratch.string() + ".log";
    shard_counts result;
    for (std::size_t i = 0; i < shard.builds.size(); ++i) {
        const auto folder = shard.folder / std::to_string(i);
        const auto files = detail::files_below(folder, ".gcda");
        for (std::size_t first = 0; first < files.size(); first += at_a_time) {
            const auto some = std::span(files).subspan(first, std::min(at_a_time, files.size() - first));
            try {
                add(result.counts, detail::run_gcov(shard.builds[i], folder, some, scratch));
            } catch (const error& problem) {
                result.problems.push_back(std::to_string(some.size()) +
                                          " files of counters could not be read: " + problem.details().what_failed);
            }
        }
    }
    std::filesystem::remove(scratch.string() + ".json");
    if (const auto complaint = detail::complaint_in(detail::read_bytes(log)); !complaint.empty()) {
        result.problems.push_back("gcov says: " + complaint);
    } else if (result.problems.empty()) {
        std::filesystem::remove(log);
    }
    return result;
}

}  // namespace vmdsl
