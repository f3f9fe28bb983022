// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdlib>

#include <sys/types.h>

#include <agent/text.hpp>

namespace vmdsl::agent {

/// The processes that a signal was sent to already. One that got SIGKILL forks no more, so a kill is complete after a
/// round that met nobody new.
class pid_set {
public:
    pid_set() = default;
    pid_set(const pid_set&) = delete;
    pid_set& operator=(const pid_set&) = delete;
    ~pid_set() { std::free(items_); }

    /// False where it was in already.
    bool insert(pid_t pid) {
        for (std::size_t i = 0; i < size_; ++i) {
            if (items_[i] == pid) {
                return false;
            }
        }
        if (size_ == capacity_) {
            capacity_ = capacity_ == 0 ? 64 : 2 * capacity_;
            items_ = static_cast<pid_t*>(std::realloc(items_, capacity_ * sizeof(pid_t)));
            if (items_ == nullptr) {
                out_of_memory();
            }
        }
        items_[size_++] = pid;
        return true;
    }

private:
    pid_t* items_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace vmdsl::agent
