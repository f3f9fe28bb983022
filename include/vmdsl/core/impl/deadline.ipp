// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fmt/format.h>

#include <vmdsl/core/deadline.hpp>

namespace vmdsl {

VMDSL_DECL std::string deadline::limit_text() const {
    if (limit_ == clock::duration::max()) {
        return "in time";
    }
    return fmt::format("within {} s", std::chrono::duration<double>(limit_).count());
}

}  // namespace vmdsl
