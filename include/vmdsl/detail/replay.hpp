// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace vmdsl::detail {

/// Whether this thread runs a checkpoint's body again, with recorded answers.
inline bool& replay_on_this_thread() noexcept {
    thread_local bool replay = false;
    return replay;
}

}  // namespace vmdsl::detail
