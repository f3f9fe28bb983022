// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// Appends `text` to `out` as a JSON string, quotes included. The result is printable UTF-8 without line breaks,
/// whatever the bytes are: control characters (C0, DEL and C1) become \u00NN, and a byte that is no UTF-8 becomes the
/// four characters \xNN, which a reader of the JSON gets as such: the text is then no longer the original.
VMDSL_DECL void append_json_string(std::string& out, std::string_view text);

/// The same as a text of its own.
[[nodiscard]] VMDSL_DECL std::string json_string(std::string_view text);

/// Appends a number in the shortest form that reads back to the same value, always with a '.' or an exponent, so that
/// readers can tell it from an integer. What JSON has no number for (infinity, not-a-number) becomes null.
VMDSL_DECL void append_json_number(std::string& out, double value);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/json_text.ipp>
#endif
