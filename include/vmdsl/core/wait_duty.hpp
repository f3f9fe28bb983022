// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/core/deadline.hpp>

namespace vmdsl {

/// Something that a thread does every now and then while it waits.
class wait_duty {
public:
    wait_duty() = default;
    wait_duty(const wait_duty&) = delete;
    wait_duty& operator=(const wait_duty&) = delete;
    virtual ~wait_duty() = default;

    /// When it is to be done next.
    [[nodiscard]] virtual deadline due() const = 0;
    /// Does it. What it throws ends the wait.
    virtual void perform() = 0;
};

/// What the present thread does while it waits; null where that is nothing.
[[nodiscard]] inline wait_duty*& duty_of_this_thread() noexcept {
    thread_local wait_duty* duty = nullptr;
    return duty;
}

}  // namespace vmdsl
