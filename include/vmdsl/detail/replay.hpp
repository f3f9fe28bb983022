// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

namespace vmdsl::detail {

/// Whether a checkpoint's body is run again just now, with recorded answers. Of the process, since a body may use
/// several threads; there is one replay at a time.
inline std::atomic<bool>& replay_under_way() noexcept {
    static std::atomic<bool> replay{false};
    return replay;
}

}  // namespace vmdsl::detail
