// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <vmdsl/core/wait_duty.hpp>

namespace vmdsl::detail {

/// Whether this thread is just asking a condition: what it asks is nobody else's business.
inline bool& checking_on_this_thread() noexcept {
    thread_local bool checking = false;
    return checking;
}

/// While a condition is asked the thread has no duty, so that the verbs in it don't ask it again.
class check_scope {
public:
    check_scope() noexcept
        : checking_(std::exchange(checking_on_this_thread(), true)),
          duty_(std::exchange(duty_of_this_thread(), nullptr)) {}
    ~check_scope() {
        checking_on_this_thread() = checking_;
        duty_of_this_thread() = duty_;
    }
    check_scope(const check_scope&) = delete;
    check_scope& operator=(const check_scope&) = delete;

private:
    bool checking_;
    wait_duty* duty_;
};

}  // namespace vmdsl::detail
