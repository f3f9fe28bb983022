// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <vmdsl/core/source_location.hpp>

namespace vmdsl {

VMDSL_DECL std::string to_string(const source_location& where) {
    return where.line() == 0 ? std::string() : std::string(where.file()) + ":" + std::to_string(where.line());
}

}  // namespace vmdsl
