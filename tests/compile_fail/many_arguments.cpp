// SPDX-License-Identifier: BSL-1.0
#include <string>

#include <vmdsl/core/command_pattern.hpp>

std::string make(const std::string& text) {
#if CASE == 0
    return vmdsl::command("curl {} {}", text, text);
#else
    return vmdsl::command("curl {}", text, text);
#endif
}
