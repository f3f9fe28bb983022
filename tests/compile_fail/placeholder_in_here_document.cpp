// SPDX-License-Identifier: BSL-1.0
#include <string>

#include <vmdsl/core/command_pattern.hpp>

std::string make(const std::string& text) {
#if CASE == 0
    return vmdsl::command("cat {} <<EOF\ntext\nEOF\n", text);
#else
    return vmdsl::command("cat <<EOF\n{}\nEOF\n", text);
#endif
}
