// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <boost/json.hpp>

#include <vmdsl/process/child.hpp>

#include "doctor/finding.hpp"

namespace vmdsl::cli {

namespace {

/// The one that was installed with this program, else that of the source tree which this program was built from.
std::string image_tool() {
    std::error_code ec;
    const auto own_folder = std::filesystem::read_symlink("/proc/self/exe", ec).parent_path();
    const auto installed = (own_folder / VMDSL_INSTALLED_IMAGE_TOOL).lexically_normal();
    return std::filesystem::exists(installed, ec) ? installed.string() : VMDSL_IMAGE_TOOL;
}

finding from_json(const boost::json::object& found) {
    const auto text = [&](const char* name) { return std::string(found.at(name).as_string()); };
    return {text("id"), found.at("ok").as_bool() ? health::good : health::missing, text("text"), text("remedy")};
}

findings from_line(std::string_view line) {
    findings found;
    const auto told = boost::json::parse(line);
    for (const auto& each : told.as_array()) {
        found.push_back(from_json(each.as_object()));
    }
    return found;
}

/// Python's warnings may come before the answer.
std::string_view last_line(std::string_view text) {
    text = text.substr(0, text.find_last_not_of('\n') + 1);
    return text.substr(text.rfind('\n') + 1);
}

}  // namespace

findings look_at_images() {
    const auto answer = run_program("/usr/bin/env", {image_tool(), "check"}, deadline::in(std::chrono::seconds(60)));
    if (answer.code != 0 || answer.signal != 0) {
        // Python is the only thing that the tool itself needs.
        return {{"image-tool", health::missing,
                 image_tool() + " check " + answer.describe() + ": " +
                     answer.output_tail.substr(0, answer.output_tail.find('\n')),
                 install_command("python3")}};
    }
    try {
        return from_line(last_line(answer.output_tail));
    } catch (const std::exception& problem) {
        return {{"image-tool", health::missing,
                 image_tool() + " check did not answer as it does: " + std::string(last_line(answer.output_tail)) +
                     " (" + problem.what() + ")",
                 "run that by hand; mend what is wrong with python3, or with this installation of vmdsl"}};
    }
}

}  // namespace vmdsl::cli
