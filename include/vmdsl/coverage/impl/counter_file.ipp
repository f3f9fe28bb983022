// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <vmdsl/coverage/counter_file.hpp>

namespace vmdsl {

namespace detail {

inline constexpr std::size_t gcov_word = 4;
inline constexpr std::size_t gcov_header = 4 * gcov_word;  // magic, version, stamp, checksum
inline constexpr int first_known_gcc = 12;                 // lengths in bytes, and a checksum in the header

inline std::uint32_t gcov_word_at(std::string_view bytes, std::size_t offset) {
    std::uint32_t value = 0;
    for (std::size_t i = gcov_word; i > 0; --i) {
        value = value << 8U | static_cast<unsigned char>(bytes[offset + i - 1]);
    }
    return value;
}

/// The version word is written as "B22*" for GCC 12.2, its last character first.
inline int gcc_major(std::string_view bytes) {
    return (bytes[7] - 'A') * 10 + (bytes[6] - '0');
}

/// Whether records follow each other up to a zero at the very end.
inline bool gcov_records_are_whole(std::string_view bytes) {
    std::size_t at = gcov_header;
    while (at + gcov_word <= bytes.size()) {
        if (gcov_word_at(bytes, at) == 0) {
            return at + gcov_word == bytes.size();
        }
        if (at + 2 * gcov_word > bytes.size()) {
            return false;
        }
        // Counters that are all zero have a negative length and no bytes.
        const auto length = static_cast<std::int32_t>(gcov_word_at(bytes, at + gcov_word));
        at += 2 * gcov_word + (length > 0 ? static_cast<std::size_t>(length) : 0);
    }
    return false;
}

}  // namespace detail

VMDSL_DECL std::string counter_file_problem(std::string_view content, std::string_view notes) {
    if (notes.size() < detail::gcov_header || !notes.starts_with("oncg")) {
        return "its notes (.gcno) are damaged";
    }
    if (content.size() < detail::gcov_header || !content.starts_with("adcg")) {
        return "it is no file of counters";
    }
    if (detail::gcc_major(content) < detail::first_known_gcc) {
        return "it comes from GCC " + std::to_string(detail::gcc_major(content)) + "; versions from 12 on are known";
    }
    if (content.substr(detail::gcov_word, 2 * detail::gcov_word) !=
        notes.substr(detail::gcov_word, 2 * detail::gcov_word)) {
        return "it was counted by another build";
    }
    if (!detail::gcov_records_are_whole(content)) {
        return "it is cut off";
    }
    return {};
}

}  // namespace vmdsl
