// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace vmdsl {

/// Cuts a stream of bytes into lines. A line that never ends (its writer was killed) is never handed out, and one that
/// is longer than the limit is dropped as a whole, so that memory stays bounded.
class line_splitter {
public:
    explicit line_splitter(std::size_t limit) : limit_(limit) {}

    /// Takes bytes; calls `on_line(std::string_view)` for each line that is now complete, without its end.
    template <class OnLine>
    void feed(std::string_view bytes, const OnLine& on_line) {
        while (!bytes.empty()) {
            const auto end = bytes.find('\n');
            append(bytes.substr(0, end));
            if (end == std::string_view::npos) {
                return;
            }
            bytes.remove_prefix(end + 1);
            if (!too_long_) {
                on_line(std::string_view(line_));
            }
            line_.clear();
            too_long_ = false;
        }
    }

private:
    void append(std::string_view part) {
        too_long_ = too_long_ || line_.size() + part.size() > limit_;
        if (too_long_) {
            line_.clear();
        } else {
            line_ += part;
        }
    }

    std::size_t limit_;
    std::string line_;
    bool too_long_ = false;
};

}  // namespace vmdsl
