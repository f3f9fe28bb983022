// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The keys of "ctrl-alt-delete", as QEMU names them (its QKeyCode). Names that QEMU does not know are its to refuse.
/// Throws `usage_error` where a name is empty.
[[nodiscard]] VMDSL_DECL std::vector<std::string> keys_of(std::string_view chord);

/// The keys that type a character on a US keyboard, nothing where none do.
[[nodiscard]] VMDSL_DECL std::optional<std::vector<std::string>> keys_for(char character);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/key_names.ipp>
#endif
