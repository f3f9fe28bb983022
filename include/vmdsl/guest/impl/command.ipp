// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstring>

#include <vmdsl/guest/command.hpp>

namespace vmdsl {

VMDSL_DECL std::string command_result::describe() const {
    if (signal_ != 0) {
        return "was ended by signal " + std::to_string(signal_) + " (" + ::strsignal(signal_) + ")";
    }
    return "exited with code " + std::to_string(exit_code_);
}

VMDSL_DECL std::ostream& operator<<(std::ostream& os, const command_result& result) {
    os << result.describe();
    if (!result.out_.empty()) {
        os << "; standard output ended with: " << detail::tail_of(result.out_, 500);
    }
    if (!result.err_.empty()) {
        os << "; standard error ended with: " << detail::tail_of(result.err_, 500);
    }
    return os;
}

namespace detail {

VMDSL_DECL std::string tail_of(const std::string& text, std::size_t limit) {
    if (text.size() <= limit) {
        return text;
    }
    auto from = text.size() - limit;
    const auto line = text.find('\n', from);
    if (line != std::string::npos && line + 1 < text.size() && line - from < limit / 4) {
        from = line + 1;
    }
    return "(... " + std::to_string(from) + " bytes before)\n" + text.substr(from);
}

}  // namespace detail

}  // namespace vmdsl
