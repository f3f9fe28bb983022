// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <mutex>

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

/// Waits for `there()` as `changed.wait_until` does, and does the thread's duty meanwhile, without the lock. False
/// where the deadline passed first.
template <class Predicate>
bool attentive_wait(std::condition_variable& changed, std::unique_lock<std::mutex>& lock, deadline until,
                    Predicate there) {
    for (;;) {
        auto* const duty = duty_of_this_thread();
        const auto moment = duty != nullptr ? earlier_of(until, duty->due()) : until;
        if (changed.wait_until(lock, moment.moment(), there)) {
            return true;
        }
        if (duty == nullptr || until.expired()) {
            return false;
        }
        lock.unlock();
        duty->perform();
        lock.lock();
    }
}

}  // namespace vmdsl
