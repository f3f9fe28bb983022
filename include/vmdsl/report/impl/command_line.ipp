// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/report/command_line.hpp>

namespace vmdsl {

namespace detail {

/// An option of ours. One without a value hint is a flag: its variable counts as given unless it is empty or 0.
struct known_option {
    std::string_view name;
    std::string_view value_hint;
    const char* variable;
    std::string_view description;
    void (*apply)(command_line& line, std::string_view source, std::string_view value);
};

inline const std::array<known_option, 9>& known_options() {
    using line = command_line;
    using text = std::string_view;
    static constexpr std::array<known_option, 9> options{{
        {"--output", "DIR", "VMDSL_OUTPUT", "Folder for the results (default: vmdsl-results/PROGRAM).",
         [](line& l, text, text value) { l.output = value; }},
        {"--case-timeout", "SECONDS", "VMDSL_CASE_TIMEOUT",
         "Ends a case that takes longer (its checkpoint may take as long again), and counts it as failed (default: "
         "300; 0: never).",
         [](line& l, text source, text value) { l.case_timeout = parse_seconds(source, value); }},
        {"--accel", "auto|kvm|tcg", acceleration_variable, "How machines run (default: auto, KVM where it works).",
         [](line& l, text source, text value) { l.acceleration = parse_acceleration(source, value); }},
        {"--keep", "", "VMDSL_KEEP", "Keeps the scratch folder (disks, memory), to look into it afterwards.",
         [](line& l, text, text) { l.keep = true; }},
        {"--verbose", "", "VMDSL_VERBOSE", "Shows every command too.", [](line& l, text, text) { l.verbose = true; }},
        {"--quiet", "", "VMDSL_QUIET", "Shows only what failed, and the summary.",
         [](line& l, text, text) { l.quiet = true; }},
        {"--interactive", "", "VMDSL_INTERACTIVE",
         "Runs no case: boots the network that the first case starts from and gives you a prompt.",
         [](line& l, text, text) { l.interactive = true; }},
        {"--attended", "", "VMDSL_ATTENDED",
         "Runs cases while you watch: no deadline, input from the terminal, declared host ports are bound.",
         [](line& l, text, text) { l.attended = true; }},
        {"--help", "", nullptr, "This text.", [](line& l, text, text) { l.help = true; }},
    }};
    return options;
}

inline const known_option* find_option(std::string_view argument) {
    const auto name = argument.substr(0, argument.find('='));
    for (const auto& option : known_options()) {
        // A flag takes no value: --help=run_test is for Boost.Test.
        if (option.name == name && (!option.value_hint.empty() || name.size() == argument.size())) {
            return &option;
        }
    }
    return nullptr;
}

inline void apply_environment(command_line& line) {
    for (const auto& option : known_options()) {
        const auto value = option.variable == nullptr ? std::string() : environment_text(option.variable);
        const bool off = value.empty() || (option.value_hint.empty() && value == "0");
        if (!off) {
            option.apply(line, option.variable, value);
        }
    }
}

inline std::size_t edit_distance_between(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const auto replaced = diagonal + (a[i] == b[j] ? 0U : 1U);
            diagonal = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
        }
    }
    return row.back();
}

}  // namespace detail

VMDSL_DECL command_line parse_command_line(const std::vector<std::string>& arguments) {
    command_line line;
    const std::filesystem::path program = arguments.empty() ? "spec" : arguments.front();
    line.output = std::filesystem::path("vmdsl-results") / program.filename();
    detail::apply_environment(line);
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const std::string_view argument = arguments[i];
        if (argument == "--") {
            line.boost_arguments.insert(line.boost_arguments.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i),
                                        arguments.end());
            break;
        }
        const auto* option = i == 0 ? nullptr : detail::find_option(argument);
        if (option == nullptr) {
            line.boost_arguments.emplace_back(argument);
            continue;
        }
        std::string_view value;
        if (!option->value_hint.empty()) {
            const auto equals = argument.find('=');
            if (equals == std::string_view::npos && i + 1 == arguments.size()) {
                throw usage_error(std::string(argument) + " needs a value: " + std::string(option->name) + " " +
                                  std::string(option->value_hint));
            }
            value = equals == std::string_view::npos ? std::string_view(arguments[++i]) : argument.substr(equals + 1);
        }
        option->apply(line, option->name, value);
    }
    if (line.output.empty()) {
        throw usage_error("--output needs the name of a folder");
    }
    if (line.quiet && line.verbose) {
        throw usage_error("--quiet and --verbose exclude each other");
    }
    return line;
}

VMDSL_DECL std::string option_help() {
    std::string text = "Options of vmdsl (an environment variable of the name in brackets does the same):\n";
    for (const auto& option : detail::known_options()) {
        std::string column = "  " + std::string(option.name);
        if (!option.value_hint.empty()) {
            column.append(" ").append(option.value_hint);
        }
        column.resize(std::max<std::size_t>(column.size() + 2, 30), ' ');
        text.append(column).append(option.description);
        if (option.variable != nullptr) {
            text.append(" [").append(option.variable).append("]");
        }
        text += '\n';
    }
    return text +
           "Scratch files lie below $VMDSL_SCRATCH_DIR, else $TMPDIR, else /tmp.\n"
           "Exit code: 0 all cases passed, 201 some failed, 69 could not run, 64 wrong usage, 128+N ended by signal "
           "N.\n"
           "\nAll other options are Boost.Test's:\n";
}

VMDSL_DECL std::string nearest_option(std::string_view typed) {
    const auto name = typed.substr(0, typed.find('='));
    std::string nearest;
    std::size_t least = std::max<std::size_t>(name.size() / 4, 2) + 1;
    for (const auto& option : detail::known_options()) {
        const auto distance = detail::edit_distance_between(name, option.name);
        if (distance < least) {
            least = distance;
            nearest = option.name;
        }
    }
    return nearest;
}

}  // namespace vmdsl
