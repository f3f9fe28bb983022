// SPDX-License-Identifier: BSL-1.0
#include <agent/console.hpp>
#include <agent/kernel_arguments.hpp>

namespace vmdsl::agent {

kernel_arguments parse_kernel_arguments(std::string_view command_line) {
    constexpr std::string_view timeout = "vmdsl.configure_timeout=";
    kernel_arguments result;
    for (auto word = take_word(command_line); !word.empty(); word = take_word(command_line)) {
        if (word == "vmdsl.volatile_root") {
            result.volatile_root = true;
        } else if (word.starts_with(timeout)) {
            std::string_view value = word;
            value.remove_prefix(timeout.size());
            if (!parse_number(value, result.configure_timeout_seconds)) {
                say({"kernel argument ", word, ": not a number of seconds"});
            }
        }
    }
    return result;
}

}  // namespace vmdsl::agent
