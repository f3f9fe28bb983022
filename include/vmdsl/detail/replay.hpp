// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

namespace vmdsl::detail {

/// Whether this thread runs a checkpoint's body again, with recorded answers.
inline bool& replay_on_this_thread() noexcept {
    thread_local bool replay = false;
    return replay;
}

/// As long as it lives it is so.
class replay_scope {
public:
    replay_scope() noexcept : before_(std::exchange(replay_on_this_thread(), true)) {}
    ~replay_scope() { replay_on_this_thread() = before_; }
    replay_scope(const replay_scope&) = delete;
    replay_scope& operator=(const replay_scope&) = delete;

private:
    bool before_;
};

}  // namespace vmdsl::detail
