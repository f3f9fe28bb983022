// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include <fmt/core.h>

#include <vmdsl/core/command_pattern.hpp>
#include <vmdsl/core/error.hpp>

namespace vmdsl {

VMDSL_DECL raw::raw(std::string_view text) : text_(text) {
    if (text.find('\0') != std::string_view::npos) {
        throw usage_error("raw() was given shell text that contains a NUL byte");
    }
}

namespace detail {

VMDSL_DECL void throw_null_shell_argument() {
    throw usage_error("a null pointer was given as an argument of a shell command");
}

VMDSL_DECL std::string fill_command_pattern(fmt::string_view pattern, fmt::format_args arguments) {
    return fmt::vformat(pattern, arguments);
}

}  // namespace detail

}  // namespace vmdsl
