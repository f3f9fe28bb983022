// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/error.hpp>

namespace vmdsl {

namespace detail {

/// Appends a headed block of foreign text, each line indented so that it can't be taken for our own words.
inline void append_quoted_block(std::string& out, std::string_view heading, std::string_view text) {
    if (text.empty()) {
        return;
    }
    out += "\n  ";
    out += heading;
    out += ':';
    while (!text.empty()) {
        const auto end = text.find('\n');
        out += "\n    | ";
        out += text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
}

}  // namespace detail

VMDSL_DECL std::string error::render(const error_details& details) {
    std::string out;
    if (!details.machine.empty()) {
        out += "machine \"" + details.machine + "\": ";
    }
    out += details.what_failed;
    if (!details.where.empty()) {
        out += "\n  at " + details.where;
    }
    if (!details.hint.empty()) {
        out += "\n  " + details.hint;
    }
    detail::append_quoted_block(out, "command", details.command);
    detail::append_quoted_block(out, "standard output ended with", details.out_tail);
    detail::append_quoted_block(out, "standard error ended with", details.err_tail);
    detail::append_quoted_block(out, "console ended with", details.console_tail);
    return out;
}

namespace detail {

template <class Error>
void throw_if_like(const error& problem, error_details& details) {
    if (dynamic_cast<const Error*>(&problem) != nullptr) {
        throw Error(std::move(details));
    }
}

}  // namespace detail

VMDSL_DECL void throw_like(const error& problem, error_details details) {
    detail::throw_if_like<command_failed>(problem, details);
    detail::throw_if_like<timed_out>(problem, details);
    detail::throw_if_like<condition_failed>(problem, details);
    detail::throw_if_like<machine_died>(problem, details);
    detail::throw_if_like<guest_error>(problem, details);
    detail::throw_if_like<could_not_run>(problem, details);
    detail::throw_if_like<usage_error>(problem, details);
    throw error(std::move(details));
}

}  // namespace vmdsl
