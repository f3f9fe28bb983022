// SPDX-License-Identifier: BSL-1.0
#pragma once

/// A text as a template argument: how machines, images and segments get their names.

#include <cstddef>
#include <string_view>

namespace vmdsl {

/// A string literal as a template argument: `template <fixed_string Name> struct machine;` is used as
/// `machine<"webserver">`. Equal texts are the same argument, in every translation unit.
template <std::size_t Size>
struct fixed_string {
    /// Public because a type is only usable as a template argument where all its members are. Zero-terminated.
    char data[Size + 1]{};

    /// Implicit, and an array instead of a view, so that a literal can stand as the template argument.
    consteval fixed_string(const char (&text)[Size + 1]) noexcept {
        for (std::size_t i = 0; i < Size; ++i) {
            data[i] = text[i];
        }
    }

    /// The text without its terminator. Valid for the whole program where the object is a template argument.
    [[nodiscard]] constexpr std::string_view view() const noexcept { return {data, Size}; }
    /// How many characters it has, without the terminator.
    [[nodiscard]] static constexpr std::size_t size() noexcept { return Size; }

    friend constexpr bool operator==(const fixed_string&, const fixed_string&) = default;
};

template <std::size_t SizeWithTerminator>
fixed_string(const char (&)[SizeWithTerminator]) -> fixed_string<SizeWithTerminator - 1>;

}  // namespace vmdsl
