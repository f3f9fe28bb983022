// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/process/child.hpp>

#include "doctor/finding.hpp"

namespace vmdsl::cli {

namespace {

struct version {
    unsigned major = 0;
    unsigned minor = 0;

    friend auto operator<=>(const version&, const version&) = default;
};

std::string to_string(version v) {
    return std::to_string(v.major) + "." + std::to_string(v.minor);
}

/// The first "N.N" of a text.
std::optional<version> version_in(std::string_view text) {
    version found;
    for (auto at = text.find_first_of("0123456789"); at != std::string_view::npos;
         at = text.find_first_of("0123456789", text.find_first_not_of("0123456789", at))) {
        const auto* const end = text.data() + text.size();
        const auto major = std::from_chars(text.data() + at, end, found.major);
        if (major.ptr != end && *major.ptr == '.' &&
            std::from_chars(major.ptr + 1, end, found.minor).ec == std::errc{}) {
            return found;
        }
    }
    return std::nullopt;
}

/// What the program answers to `words`; empty where there is no such program.
std::string answer_of(const std::string& program, std::vector<std::string> words) {
    words.insert(words.begin(), program);
    const auto answer = run_program("/usr/bin/env", std::move(words), deadline::in(std::chrono::seconds(60)));
    return answer.code == 0 && answer.signal == 0 ? answer.output_tail : std::string();
}

finding judge(const std::string& id, const std::string& name, std::optional<version> found, version least,
              std::string_view packages) {
    const auto needed = name + " " + to_string(least) + " or newer is needed";
    if (!found) {
        return {id, health::missing, "not found: " + needed, install_command(packages)};
    }
    if (*found < least) {
        return {id, health::missing, name + " " + to_string(*found) + " is too old: " + needed,
                install_command(packages)};
    }
    return {id, health::good, name + " " + to_string(*found), ""};
}

finding look_at_compiler() {
    const auto gcc = version_in(answer_of("g++", {"-dumpfullversion", "-dumpversion"}));
    const auto clang = version_in(answer_of("clang++", {"--version"}));
    auto found = judge("compiler", "g++", gcc, {12, 0}, "g++");
    if (found.state != health::good && clang && *clang >= version{14, 0}) {
        return {"compiler", health::good, "clang " + to_string(*clang), ""};
    }
    found.text += found.state == health::good ? "" : " (or clang 14)";
    return found;
}

/// The number that a header of the default folders defines, as the compiler sees it.
std::optional<unsigned> defined_number(const std::string& header, const std::string& name) {
    for (const char* compiler : {"c++", "g++", "clang++"}) {
        const auto text = answer_of(compiler, {"-E", "-dM", "-x", "c++", "-include", header, "/dev/null"});
        const auto line = text.find("#define " + name + " ");
        if (line == std::string::npos) {
            continue;
        }
        unsigned value = 0;
        const auto from = line + name.size() + 9;
        if (std::from_chars(text.data() + from, text.data() + text.size(), value).ec == std::errc{}) {
            return value;
        }
    }
    return std::nullopt;
}

finding look_at_boost() {
    std::optional<version> found;
    if (const auto number = defined_number("boost/version.hpp", "BOOST_VERSION")) {
        found = version{*number / 100000, *number / 100 % 1000};
    }
    return judge("boost", "Boost", found, {1, 81}, "libboost1.81-dev libboost-test1.81-dev libboost-json1.81-dev");
}

finding look_at_fmt() {
    std::optional<version> found;
    if (const auto number = defined_number("fmt/core.h", "FMT_VERSION")) {
        found = version{*number / 10000, *number / 100 % 100};
    }
    return judge("fmt", "fmt", found, {9, 1}, "libfmt-dev");
}

}  // namespace

findings look_at_developing() {
    return {look_at_compiler(),
            judge("cmake", "CMake", version_in(answer_of("cmake", {"--version"})), {3, 24}, "cmake"),
            judge("ninja", "Ninja", version_in(answer_of("ninja", {"--version"})), {1, 10}, "ninja-build"),
            look_at_boost(), look_at_fmt()};
}

}  // namespace vmdsl::cli
