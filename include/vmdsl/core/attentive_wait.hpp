// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <mutex>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/wait_duty.hpp>

namespace vmdsl {

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
