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
inline constexpr std::uint32_t gcov_function_tag = 0x01000000;
inline constexpr std::uint32_t gcov_summary_tag = 0xa1000000;  // how often the program ran
inline constexpr int first_known_gcc = 12;                     // lengths in bytes, and a checksum in the header

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

/// A record of a file of counters.
struct gcov_record {
    std::uint32_t tag = 0;
    std::string_view content;
};

/// Calls `take` for each record. Returns whether they follow each other up to a zero at the very end.
template <class Take>
bool for_each_gcov_record(std::string_view bytes, Take take) {
    std::size_t at = gcov_header;
    while (at + gcov_word <= bytes.size()) {
        const auto tag = gcov_word_at(bytes, at);
        if (tag == 0) {
            return at + gcov_word == bytes.size();
        }
        if (at + 2 * gcov_word > bytes.size()) {
            return false;
        }
        // Counters that are all zero have a negative length and no bytes.
        const auto length = static_cast<std::int32_t>(gcov_word_at(bytes, at + gcov_word));
        const auto size = length > 0 ? static_cast<std::size_t>(length) : 0;
        take(gcov_record{tag, bytes.substr(at + 2 * gcov_word, size)});
        at += 2 * gcov_word + size;
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
    if (!detail::for_each_gcov_record(content, [](const detail::gcov_record&) {})) {
        return "it is cut off";
    }
    return {};
}

VMDSL_DECL bool has_counts(std::string_view content) {
    bool found = false;
    (void)detail::for_each_gcov_record(content, [&](const detail::gcov_record& record) {
        if (record.tag != detail::gcov_function_tag && record.tag != detail::gcov_summary_tag) {
            found = found || record.content.find_first_not_of('\0') != std::string_view::npos;
        }
    });
    return found;
}

}  // namespace vmdsl
