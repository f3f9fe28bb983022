// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// Appends `word` to `out` as exactly one word of a POSIX shell, whatever bytes are in it. Words of harmless
/// characters stay bare, for the reader of the log; the rest is put in single quotes. The empty word becomes ''.
///
/// It is a word, not an operand: `rm` takes "-rf" for an option however well it is quoted, so write `rm -- {}`.
/// Throws usage_error where `word` contains a NUL byte, which no shell can hold; `out` is then unchanged.
VMDSL_DECL void append_shell_quoted(std::string& out, std::string_view word);

/// The same as a string.
[[nodiscard]] VMDSL_DECL std::string shell_quoted(std::string_view word);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/shell_quote.ipp>
#endif
