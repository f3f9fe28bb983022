// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <vmdsl/core/utf8.hpp>
#include <vmdsl/report/printable.hpp>

namespace vmdsl {

namespace detail {

/// Whether a well-formed UTF-8 sequence is something to look at. Line ends and tabs count.
inline bool is_printable_sequence(std::string_view sequence) noexcept {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1) {
        return first == '\n' || first == '\t' || (first >= 0x20 && first != 0x7F);
    }
    const bool c1_control = sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
    return !c1_control && sequence != "\xEF\xBF\xBE" && sequence != "\xEF\xBF\xBF";
}

inline void append_byte_escapes(std::string& out, std::string_view bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char byte : bytes) {
        out += "\\x";
        out += digits[static_cast<unsigned char>(byte) >> 4U];
        out += digits[static_cast<unsigned char>(byte) & 0xFU];
    }
}

inline std::string escape_for_xml(std::string_view text, bool attribute) {
    std::string out;
    for (const char c : printable(text)) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += attribute ? "&quot;" : "\"";
                break;
            case '\n':
                out += attribute ? "&#10;" : "\n";
                break;
            case '\t':
                out += attribute ? "&#9;" : "\t";
                break;
            default:
                out += c;
        }
    }
    return out;
}

}  // namespace detail

VMDSL_DECL std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        if (text.starts_with("\r\n")) {
            text.remove_prefix(1);
        }
        const auto length = utf8_sequence_length(text);
        const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(sequence.size());
        if (length > 0 && detail::is_printable_sequence(sequence)) {
            out += sequence;
        } else {
            detail::append_byte_escapes(out, sequence);
        }
    }
    return out;
}

VMDSL_DECL std::string xml_text(std::string_view text) {
    return detail::escape_for_xml(text, false);
}

VMDSL_DECL std::string xml_attribute(std::string_view text) {
    return detail::escape_for_xml(text, true);
}

VMDSL_DECL std::string tail_of(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) {
        return std::string(text);
    }
    auto tail = text.substr(text.size() - limit);
    if (const auto line_end = tail.find('\n'); line_end != std::string_view::npos && line_end + 1 < tail.size()) {
        tail.remove_prefix(line_end + 1);
    }
    return "[" + std::to_string(text.size() - tail.size()) + " bytes left out]\n" + std::string(tail);
}

VMDSL_DECL std::string_view first_line(std::string_view text) noexcept {
    text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
    return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace vmdsl
