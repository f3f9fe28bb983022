// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vmdsl::detail {

constexpr char to_lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

constexpr bool is_letter_or_digit(char c) noexcept {
    return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'z');
}

/// Whether all characters are letters, digits or among `others`.
constexpr bool consists_of(std::string_view text, std::string_view others) noexcept {
    for (const char c : text) {
        if (!is_letter_or_digit(c) && others.find(c) == std::string_view::npos) {
            return false;
        }
    }
    return true;
}

/// Whether two labels are the same host name: case does not count there.
constexpr bool same_label(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) {
        return false;
    }
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (to_lower(a[i]) != to_lower(b[i])) {
            return false;
        }
    }
    return true;
}

/// A number that equal labels share, in whatever case they are written. Comparing these first keeps searches among many
/// names within what compilers are willing to evaluate.
constexpr std::uint64_t label_hash(std::string_view label) noexcept {
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a
    for (const char c : label) {
        hash = (hash ^ static_cast<unsigned char>(to_lower(c))) * 1099511628211U;
    }
    return hash;
}

template <std::size_t Size>
constexpr std::array<std::uint64_t, Size> label_hashes(const std::array<std::string_view, Size>& labels) noexcept {
    std::array<std::uint64_t, Size> hashes{};
    for (std::size_t i = 0; i < Size; ++i) {
        hashes[i] = label_hash(labels[i]);
    }
    return hashes;
}

/// Index of the first label that is the same host name as one before it; `Size` where there is none.
template <std::size_t Size>
constexpr std::size_t find_repeated_label(const std::array<std::string_view, Size>& labels) noexcept {
    const auto hashes = label_hashes(labels);
    for (std::size_t i = 1; i < Size; ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (hashes[i] == hashes[j] && same_label(labels[i], labels[j])) {
                return i;
            }
        }
    }
    return Size;
}

/// Whether resolvers take the label for an address instead of a name: inet_aton(3) reads "12" and "0x7f".
constexpr bool reads_as_address(std::string_view label) noexcept {
    const bool is_hex = label.size() > 1 && label[0] == '0' && to_lower(label[1]) == 'x';
    for (const char c : label.substr(is_hex ? 2 : 0)) {
        if (!is_digit(c) && !(is_hex && to_lower(c) >= 'a' && to_lower(c) <= 'f')) {
            return false;
        }
    }
    return true;
}

/// Whether a label (RFC 1123, section 2.1) can be a host name of its own.
constexpr bool is_host_label(std::string_view label) noexcept {
    return !label.empty() && label.size() <= 63 && consists_of(label, "-") && label.front() != '-' &&
           label.back() != '-' && !reads_as_address(label) && !same_label(label, "localhost");
}

/// How many single-character edits (insert, delete, replace, swap two neighbours) lead from one name to the other. Only
/// the first 63 characters count, which is all that a label has.
constexpr std::size_t edit_distance(std::string_view from, std::string_view to) noexcept {
    constexpr std::size_t longest = 63;
    from = from.substr(0, longest);
    to = to.substr(0, longest);
    std::size_t rows[3][longest + 1]{};
    for (std::size_t j = 0; j <= to.size(); ++j) {
        rows[0][j] = j;
    }
    for (std::size_t i = 1; i <= from.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i + 2) % 3];
        const auto& two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (std::size_t j = 1; j <= to.size(); ++j) {
            row[j] = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
            row[j] = row[j] < above[j] + 1 ? row[j] : above[j] + 1;
            row[j] = row[j] < row[j - 1] + 1 ? row[j] : row[j - 1] + 1;
            const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
            if (swapped && two_above[j - 2] + 1 < row[j]) {
                row[j] = two_above[j - 2] + 1;
            }
        }
    }
    return rows[from.size() % 3][to.size()];
}

/// Index of the name that `wanted` was probably meant to be; `count` where none is near.
constexpr std::size_t nearest_name(std::string_view wanted, const std::string_view* names, std::size_t count) noexcept {
    std::size_t best = count;
    std::size_t best_distance = wanted.size() <= 4 ? 2 : wanted.size() <= 8 ? 3 : 4;
    for (std::size_t i = 0; i < count; ++i) {
        if (const auto distance = edit_distance(wanted, names[i]); distance < best_distance) {
            best_distance = distance;
            best = i;
        }
    }
    return best;
}

}  // namespace vmdsl::detail
