// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <vmdsl/core/json_text.hpp>
#include <vmdsl/core/utf8.hpp>

namespace vmdsl {

namespace detail {

inline void append_hex_byte(std::string& out, unsigned char byte) {
    constexpr std::string_view digits = "0123456789abcdef";
    out += digits[byte >> 4U];
    out += digits[byte & 0x0FU];
}

/// U+0080 to U+009F in UTF-8: some terminals act on them as on escape sequences.
inline bool is_c1_control(std::string_view sequence) noexcept {
    return sequence.size() == 2 && sequence[0] == '\xC2' && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

inline void append_json_character(std::string& out, std::string_view sequence) {
    const auto last = static_cast<unsigned char>(sequence.back());
    if (sequence == "\"" || sequence == "\\") {
        out += '\\';
        out += sequence;
    } else if (is_c1_control(sequence) || (sequence.size() == 1 && (last < 0x20 || last == 0x7F))) {
        out += "\\u00";
        append_hex_byte(out, last);
    } else {
        out += sequence;
    }
}

}  // namespace detail

VMDSL_DECL void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty()) {
        const auto length = utf8_sequence_length(text);
        if (length == 0) {
            out += "\\\\x";
            detail::append_hex_byte(out, static_cast<unsigned char>(text[0]));
            text.remove_prefix(1);
            continue;
        }
        detail::append_json_character(out, text.substr(0, length));
        text.remove_prefix(length);
    }
    out += '"';
}

VMDSL_DECL std::string json_string(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    return json;
}

VMDSL_DECL void append_json_number(std::string& out, double value) {
    if (!std::isfinite(value)) {
        out += "null";
        return;
    }
    std::array<char, 32> buffer;  // the longest shortest form of a double has 24 characters
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    const std::string_view digits(buffer.data(), static_cast<std::size_t>(end - buffer.data()));
    out += digits;
    if (digits.find_first_of(".e") == std::string_view::npos) {
        out += ".0";
    }
}

}  // namespace vmdsl
