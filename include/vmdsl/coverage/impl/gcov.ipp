// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
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

inline void add_gcov_file(source_counts& counts, const boost::json::value& file) {
    // A line stands once for each function that has code on it.
    for (const auto& line : file.at("lines").as_array()) {
        counts.lines[line.at("line_number").to_number<unsigned>()] += line.at("count").to_number<run_count>();
    }
    for (const auto& function : file.at("functions").as_array()) {
        auto& ours = counts.functions[boost::json::value_to<std::string>(function.at("demangled_name"))];
        ours.line = function.at("start_line").to_number<unsigned>();
        ours.runs += function.at("execution_count").to_number<run_count>();
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

/// gcov on files of a folder, some at a time: it holds all of them in memory.
inline void run_gcov(line_counts& counts, const instrumented_build& build, const std::filesystem::path& folder,
                     const std::vector<std::string>& files, const std::filesystem::path& scratch) {
    constexpr std::size_t at_a_time = 100;
    for (std::size_t first = 0; first < files.size(); first += at_a_time) {
        std::vector<std::string> words{build.folder + "/gcov", "--json-format", "--stdout"};
        const auto last = std::min(first + at_a_time, files.size());
        words.insert(words.end(), files.begin() + static_cast<std::ptrdiff_t>(first),
                     files.begin() + static_cast<std::ptrdiff_t>(last));
        const auto output = scratch.string() + ".json";
        const auto errors = scratch.string() + ".log";
        if (const int code = run_tool(words, folder, output, errors); code != 0) {
            throw could_not_run("the build's gcov, " + words[0] + ", ended with code " + std::to_string(code) +
                                    "; what it said is in " + errors,
                                "It needs the libraries of the Debian release that it comes from.");
        }
        add_gcov_output(counts, read_bytes(output), build);
        std::filesystem::remove(output);
        std::filesystem::remove(errors);
    }
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
    line_counts counts;
    add_gcov_output(counts, detail::read_bytes(std::filesystem::path(build.folder) / "baseline.json"), build);
    return counts;
}

VMDSL_DECL line_counts counts_of_shard(const coverage_shard& shard) {
    line_counts counts;
    for (std::size_t i = 0; i < shard.builds.size(); ++i) {
        const auto folder = shard.folder / std::to_string(i);
        detail::run_gcov(counts, shard.builds[i], folder, detail::files_below(folder, ".gcda"), shard.folder / "gcov");
    }
    return counts;
}

}  // namespace vmdsl
