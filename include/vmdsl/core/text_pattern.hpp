// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What a wait looks for in the text of a console or a terminal: a piece of text, or a regular expression.
///
///     client.wait_for_console_text("login:");
///     client.wait_for_console_text(matching("usb [0-9]"));

#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What to look for in a console or on a screen: a piece of text as it stands, or, made by `matching`, a regular
/// expression. A value.
class text_pattern {
public:
    /// The text as it stands; implicit, so that a literal can be passed where a pattern is asked for.
    template <class Text>
    requires std::convertible_to<const Text&, std::string_view> text_pattern(const Text& text)
        : text_(std::string_view(text)) {}  // NOLINT: a text is a pattern

    /// Where it ends in a line for the first time, counted in bytes; nothing where it does not occur.
    [[nodiscard]] VMDSL_DECL std::optional<std::size_t> end_in(std::string_view line) const;

    /// For people: "text" or /expression/.
    [[nodiscard]] VMDSL_DECL std::string describe() const;

private:
    friend text_pattern matching(std::string_view expression);
    struct compiled;

    std::string text_;
    std::shared_ptr<const compiled> expression_;  // null: plain text
};

/// A pattern by a regular expression (ECMAScript), which is looked for in one line at a time:
/// `matching("login( on tty[0-9])?:")`. Throws `usage_error` where it is none.
[[nodiscard]] VMDSL_DECL text_pattern matching(std::string_view expression);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/text_pattern.ipp>
#endif
