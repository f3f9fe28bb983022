// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace vmdsl {

/// Bytes that wait to be sent, taken from the front in pieces. Taking them all costs as much as they are long, however
/// small the pieces. Not thread-safe.
class send_buffer {
public:
    void append(std::string bytes) {
        if (empty()) {
            bytes_ = std::move(bytes);
            begin_ = 0;
        } else {
            bytes_ += bytes;
        }
    }

    /// Everything that waits. Valid until the next call that changes something.
    [[nodiscard]] std::string_view view() const noexcept { return std::string_view(bytes_).substr(begin_); }
    [[nodiscard]] bool empty() const noexcept { return begin_ == bytes_.size(); }

    /// The first `count` bytes of `view` were sent.
    void drop(std::size_t count) {
        begin_ += count;
        if (empty()) {
            clear();
        } else if (begin_ > bytes_.size() / 2) {
            // At most as many bytes move as were dropped since the last time.
            bytes_.erase(0, begin_);
            begin_ = 0;
        }
    }

    /// Forgets everything, and gives the memory back.
    void clear() noexcept {
        bytes_ = {};
        begin_ = 0;
    }

private:
    std::string bytes_;
    std::size_t begin_ = 0;
};

}  // namespace vmdsl
