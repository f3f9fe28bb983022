// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include <vmdsl/coverage/line_counts.hpp>

namespace vmdsl {

VMDSL_DECL void source_counts::add(const source_counts& other) {
    for (const auto& [line, runs] : other.lines) {
        lines[line] += runs;
    }
    for (const auto& [name, function] : other.functions) {
        auto& ours = functions[name];
        ours.line = function.line;
        ours.runs += function.runs;
    }
}

VMDSL_DECL std::size_t source_counts::lines_run() const {
    return static_cast<std::size_t>(
        std::count_if(lines.begin(), lines.end(), [](const auto& line) { return line.second > 0; }));
}

VMDSL_DECL void add(line_counts& to, const line_counts& more) {
    for (const auto& [file, counts] : more) {
        to[file].add(counts);
    }
}

VMDSL_DECL std::string lcov_test_name(std::string text) {
    std::replace_if(
        text.begin(), text.end(),
        [](char c) { return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')); }, '_');
    return text;
}

VMDSL_DECL std::string to_tracefile(const std::string& test, const line_counts& counts) {
    const auto name = lcov_test_name(test);
    std::string text;
    const auto out = std::back_inserter(text);
    for (const auto& [file, source] : counts) {
        fmt::format_to(out, "TN:{}\nSF:{}\n", name, file);
        std::size_t functions_run = 0;
        for (const auto& [function, counted] : source.functions) {
            fmt::format_to(out, "FN:{},{}\n", counted.line, function);
            functions_run += counted.runs > 0 ? 1 : 0;
        }
        for (const auto& [function, counted] : source.functions) {
            fmt::format_to(out, "FNDA:{},{}\n", counted.runs, function);
        }
        fmt::format_to(out, "FNF:{}\nFNH:{}\n", source.functions.size(), functions_run);
        for (const auto& [line, runs] : source.lines) {
            fmt::format_to(out, "DA:{},{}\n", line, runs);
        }
        fmt::format_to(out, "LF:{}\nLH:{}\nend_of_record\n", source.lines.size(), source.lines_run());
    }
    return text;
}

}  // namespace vmdsl
