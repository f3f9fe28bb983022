// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/net/fabric_report.hpp>

namespace vmdsl {

namespace detail {

/// "alice on lan, bob on lan"
inline std::string list_of_links(const std::vector<link_name>& links) {
    std::string text;
    for (const link_name& link : links) {
        text += (text.empty() ? "" : ", ") + link.machine + " on " + link.segment;
    }
    return text;
}

}  // namespace detail

VMDSL_DECL std::string drain_report::losses() const {
    std::string text;
    const auto say = [&text](const std::string& more) { text += (text.empty() ? "" : "; ") + more; };
    if (waiting != 0) {
        say(std::to_string(waiting) + " frames that their readers had not taken");
    }
    if (!inside_frame.empty()) {
        say("a part of a frame of " + detail::list_of_links(inside_frame));
    }
    if (!still_writing.empty()) {
        say("what comes from " + detail::list_of_links(still_writing) + ", which did not stop sending");
    }
    return text;
}

}  // namespace vmdsl
