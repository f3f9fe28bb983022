// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <vmdsl/guest/console_log.hpp>

namespace vmdsl {

VMDSL_DECL std::optional<std::string> console_log::feed(std::string_view bytes) {
    std::optional<std::string> panic;
    for (const char c : bytes) {
        if (c == '\n') {
            end_line(panic);
            continue;
        }
        if (c == '\r') {
            continue;
        }
        current_ += c;
        if (current_.size() == max_line) {
            end_line(panic);
        }
    }
    return panic;
}

VMDSL_DECL void console_log::end_unfinished_line() {
    if (!current_.empty()) {
        lines_.push_back(std::exchange(current_, {}));
    }
}

VMDSL_DECL void console_log::end_line(std::optional<std::string>& panic) {
    lines_.push_back(std::exchange(current_, {}));
    const std::string_view line = lines_.back();
    if (!panic_from_ && line.find("Kernel panic - not syncing") != std::string_view::npos) {
        // An oops prints its reason up to some thirty lines before the panic that it causes.
        std::size_t first = lines_.size() - 1;
        for (std::size_t back = 1; back <= 60 && back < lines_.size(); ++back) {
            const std::string_view earlier = lines_[lines_.size() - 1 - back];
            if (earlier.find("BUG: ") != std::string_view::npos || earlier.find("Oops: ") != std::string_view::npos ||
                earlier.find("vmdsl: ") != std::string_view::npos) {
                first = lines_.size() - 1 - back;
            }
        }
        panic_from_ = first;
        panic = std::string(line);
    }
    while (lines_.size() > max_lines) {
        lines_.pop_front();
        if (panic_from_) {
            panic_from_ = *panic_from_ == 0 ? 0 : *panic_from_ - 1;
        }
    }
}

VMDSL_DECL std::string console_log::tail(std::size_t lines) const {
    std::string text;
    const std::size_t first = lines_.size() > lines ? lines_.size() - lines : 0;
    for (std::size_t i = first; i < lines_.size(); ++i) {
        text += lines_[i] + "\n";
    }
    return text + current_;
}

VMDSL_DECL std::string console_log::panic_text() const {
    std::string text;
    for (std::size_t i = panic_from_.value_or(lines_.size()); i < lines_.size(); ++i) {
        text += lines_[i] + "\n";
    }
    return text;
}

}  // namespace vmdsl
