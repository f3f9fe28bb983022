// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>

namespace vmdsl::detail {

/// The pauses between the attempts of a wait: short at first, since most things are nearly there.
class back_off {
public:
    explicit back_off(std::chrono::milliseconds first, std::chrono::milliseconds longest)
        : next_(first), longest_(longest) {}

    [[nodiscard]] std::chrono::milliseconds next() {
        const auto now = next_;
        next_ = std::min(next_ * 3 / 2, longest_);
        return now;
    }

private:
    std::chrono::milliseconds next_;
    std::chrono::milliseconds longest_;
};

}  // namespace vmdsl::detail
