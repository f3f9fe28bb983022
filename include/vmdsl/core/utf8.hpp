// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string_view>

namespace vmdsl {

namespace detail {

/// The bytes that may follow a given first byte (Unicode 15, table 3-7): this excludes overlong forms, surrogates and
/// everything past U+10FFFF.
struct utf8_lead {
    std::size_t length = 0;  ///< Of the whole sequence, 0 where no sequence starts with this byte.
    unsigned char second_low = 0x80;
    unsigned char second_high = 0xBF;
};

constexpr utf8_lead classify_utf8_lead(unsigned char first) noexcept {
    if (first < 0x80) {
        return {1};
    }
    if (first < 0xC2 || first > 0xF4) {
        return {0};
    }
    if (first < 0xE0) {
        return {2};
    }
    switch (first) {
        case 0xE0:
            return {3, 0xA0, 0xBF};
        case 0xED:
            return {3, 0x80, 0x9F};
        case 0xF0:
            return {4, 0x90, 0xBF};
        case 0xF4:
            return {4, 0x80, 0x8F};
        default:
            return {first < 0xF0 ? std::size_t{3} : std::size_t{4}};
    }
}

}  // namespace detail

/// Length in bytes (1 to 4) of the well-formed UTF-8 sequence that `text` starts with; 0 where it starts with none, or
/// is empty. A writer of text that a guest produced walks it with this: where it says 0, one byte is not text.
[[nodiscard]] constexpr std::size_t utf8_sequence_length(std::string_view text) noexcept {
    if (text.empty()) {
        return 0;
    }
    const auto lead = detail::classify_utf8_lead(static_cast<unsigned char>(text[0]));
    if (lead.length == 0 || text.size() < lead.length) {
        return 0;
    }
    for (std::size_t i = 1; i < lead.length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto low = i == 1 ? lead.second_low : static_cast<unsigned char>(0x80);
        const auto high = i == 1 ? lead.second_high : static_cast<unsigned char>(0xBF);
        if (byte < low || byte > high) {
            return 0;
        }
    }
    return lead.length;
}

}  // namespace vmdsl
