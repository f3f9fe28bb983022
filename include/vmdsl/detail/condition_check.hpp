// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace vmdsl::detail {

/// Whether this thread is just asking a condition: what it asks is nobody else's business.
inline bool& checking_on_this_thread() noexcept {
    thread_local bool checking = false;
    return checking;
}

}  // namespace vmdsl::detail
