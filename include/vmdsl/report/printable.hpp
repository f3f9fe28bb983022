// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The text as valid UTF-8 that a terminal shows and doesn't obey, and that XML 1.0 can hold: line ends and tabs stay,
/// "\r\n" becomes a line end, and each byte of anything else that is no character (control characters, escape
/// sequences' ESC, broken UTF-8, surrogates, U+FFFE and U+FFFF) becomes the four characters \xNN.
[[nodiscard]] VMDSL_DECL std::string printable(std::string_view text);

/// The same, escaped as character data of an XML element.
[[nodiscard]] VMDSL_DECL std::string xml_text(std::string_view text);

/// The same, escaped as the value of an XML attribute in double quotes: line ends and tabs survive a parser.
[[nodiscard]] VMDSL_DECL std::string xml_attribute(std::string_view text);

/// The last `limit` bytes, cut at the start of a line where there is one, and with a note of what was left out.
[[nodiscard]] VMDSL_DECL std::string tail_of(std::string_view text, std::size_t limit);

/// The first line that is not empty.
[[nodiscard]] VMDSL_DECL std::string_view first_line(std::string_view text) noexcept;

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/printable.ipp>
#endif
