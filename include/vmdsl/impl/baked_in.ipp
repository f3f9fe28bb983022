// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/detail/baked_in.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::uint64_t& declared_memory_mib() noexcept {
    static std::uint64_t mib = 0;
    return mib;
}

}  // namespace vmdsl::detail
