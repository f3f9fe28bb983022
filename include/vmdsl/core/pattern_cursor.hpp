// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

namespace vmdsl::detail {

/// What a command pattern consists of.
enum class pattern_token_kind : std::uint8_t { end, character, placeholder, stray_brace };

struct pattern_token {
    pattern_token_kind kind = pattern_token_kind::end;
    char character = '\0';
    std::string_view spec;  ///< Of a placeholder: what stands behind the colon.

    [[nodiscard]] constexpr bool is(char expected) const noexcept {
        return kind == pattern_token_kind::character && character == expected;
    }
    [[nodiscard]] constexpr bool is_one_of(std::string_view expected) const noexcept {
        return kind == pattern_token_kind::character && expected.find(character) != std::string_view::npos;
    }
};

/// Undoes the outer layer of a pattern: doubled braces are characters, the rest are placeholders.
class pattern_cursor {
public:
    explicit constexpr pattern_cursor(std::string_view text) noexcept : rest_(text) {}

    constexpr pattern_token next() noexcept {
        if (rest_.empty()) {
            return {};
        }
        const char c = take();
        if (c != '{' && c != '}') {
            return {pattern_token_kind::character, c, {}};
        }
        if (rest_.starts_with(c)) {
            return {pattern_token_kind::character, take(), {}};
        }
        const auto end = rest_.find_first_of("{}");
        const bool is_placeholder = c == '{' && end != std::string_view::npos && rest_[end] == '}' &&
                                    (end == 0 || (rest_[0] == ':' && end > 1));
        if (!is_placeholder) {
            return {pattern_token_kind::stray_brace, c, {}};
        }
        const auto spec = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return {pattern_token_kind::placeholder, '\0', spec.substr(spec.empty() ? 0 : 1)};
    }

    [[nodiscard]] constexpr pattern_token peek() const noexcept {
        auto copy = *this;
        return copy.next();
    }

private:
    constexpr char take() noexcept {
        const char c = rest_[0];
        rest_.remove_prefix(1);
        return c;
    }

    std::string_view rest_;
};

}  // namespace vmdsl::detail
