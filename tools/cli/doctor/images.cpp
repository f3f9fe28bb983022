// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <string>

#include <boost/json.hpp>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/child.hpp>

#include "doctor/finding.hpp"

namespace vmdsl::cli {

namespace {

std::string image_tool() {
    const auto named = vmdsl::detail::environment_text("VMDSL_IMAGE_TOOL");
    return named.empty() ? VMDSL_IMAGE_TOOL : named;
}

finding from_json(const boost::json::object& found) {
    const auto text = [&](const char* name) { return std::string(found.at(name).as_string()); };
    return {text("id"), found.at("ok").as_bool() ? health::good : health::missing, text("text"), text("remedy")};
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
    findings found;
    const auto told = boost::json::parse(answer.output_tail);
    for (const auto& each : told.as_array()) {
        found.push_back(from_json(each.as_object()));
    }
    return found;
}

}  // namespace vmdsl::cli
