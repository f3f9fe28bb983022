// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Shell commands with arguments that are quoted: what the first argument of `guest::run`, `execute` and `spawn` means.
///
///     client.run("grep -c {} {}", "it's", "/var/log/syslog");   // grep -c 'it'\''s' /var/log/syslog
///     client.run("touch {}", std::vector<std::string>{"a", "b c"});   // touch a 'b c'
///     client.run("sleep {:.1f}; ls {}", 0.5, raw("*.log"));   // sleep 0.5; ls *.log

#include <concepts>
#include <iterator>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <fmt/core.h>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/pattern_check.hpp>
#include <vmdsl/core/shell_quote.hpp>
#include <vmdsl/core/source_location.hpp>

namespace vmdsl {

/// Shell text that is inserted as it is: `run("ls {} {}", folder, raw("| wc -l"))`. The only way out of quoting, so
/// never put into it what the test did not write itself. A value.
class raw {
public:
    /// Throws `usage_error` where the text contains a NUL byte.
    explicit VMDSL_DECL raw(std::string_view text);
    /// The text as it was given.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

namespace detail {

template <class T>
concept shell_text_like = std::convertible_to<const T&, std::string_view>;

/// std::filesystem::path, without its header in every spec.
template <class T>
concept shell_path_like = requires(const T& path) {
    typename T::string_type;
    { path.native() } -> std::convertible_to<std::string_view>;
};

template <class T>
concept shell_word_like = shell_text_like<T> || shell_path_like<T>;

template <class T>
concept shell_word_range = !shell_word_like<T> && requires(const T& range) {
    std::end(range);
    requires shell_word_like<std::remove_cvref_t<decltype(*std::begin(range))>>;
};

/// A variable instead of a concept, so that a wrong argument's error message stays short.
template <class T>
inline constexpr bool is_shell_number =
    std::is_arithmetic_v<T> && !std::same_as<T, bool> && !std::same_as<T, char> && !std::same_as<T, wchar_t> &&
    !std::same_as<T, char8_t> && !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

/// Throws usage_error: a null pointer was given for a text.
[[noreturn]] VMDSL_DECL void throw_null_shell_argument();

/// Fills checked placeholders. One function for all patterns, so that a call costs little to compile.
[[nodiscard]] VMDSL_DECL std::string fill_command_pattern(fmt::string_view pattern, fmt::format_args arguments);

template <shell_word_like T>
void append_shell_argument(std::string& out, const T& word) {
    if constexpr (shell_path_like<T>) {
        append_shell_quoted(out, word.native());
    } else {
        if constexpr (std::is_pointer_v<T>) {
            if (word == nullptr) {
                throw_null_shell_argument();
            }
        }
        append_shell_quoted(out, word);
    }
}

/// How an argument of type T gets into a command: what it is rendered to, and what {fmt} is given for it.
template <class T>
struct shell_argument {
    static_assert(is_shell_number<T>,
                  "vmdsl: an argument of this type has no defined meaning on a shell command line; pass a string, a "
                  "path, a range of strings, a number, or vmdsl::raw");
    /// Something that {fmt} knows even for the wrong types: one error is enough.
    using type = std::conditional_t<is_shell_number<T>, T, int>;
    static constexpr auto kind = argument_kind::number;
    static type render(const T& number) noexcept {
        if constexpr (is_shell_number<T>) {
            return number;
        } else {
            return 0;
        }
    }
};

template <class T>
requires shell_word_like<T> || shell_word_range<T>
struct shell_argument<T> {
    using type = std::string;
    static constexpr auto kind = argument_kind::text;
    static std::string render(const T& words) {
        std::string out;
        if constexpr (shell_word_like<T>) {
            append_shell_argument(out, words);
        } else {
            for (const auto& word : words) {
                out += out.empty() ? "" : " ";
                append_shell_argument(out, word);
            }
        }
        return out;
    }
};

template <>
struct shell_argument<raw> {
    using type = std::string;
    static constexpr auto kind = argument_kind::text;
    static const std::string& render(const raw& text) noexcept { return text.text(); }
};

// Never defined: reaching one of them while compiling is the error message.
void shell_placeholder_inside_quotes__arguments_are_quoted_for_you();
void shell_placeholder_inside_backquotes__write_dollar_parentheses();
void shell_placeholder_inside_expansion__assign_it_to_a_variable_first();
void shell_placeholder_inside_comment();
void shell_placeholder_inside_here_document__use_write_file();
void shell_placeholder_after_backslash__arguments_are_quoted_for_you();
void shell_placeholder_joined_to_an_expansion__write_double_braces_around_the_name();
void shell_placeholder_joined_to_a_redirection__put_a_space_between();
void shell_placeholders_are_positional__write_empty_braces_and_double_literal_braces();
void shell_placeholder_with_a_format_spec__only_numbers_take_one_and_no_fill_character();
void shell_command_leaves_a_quote_or_parenthesis_open();
void shell_quoting_is_too_complex_to_check__use_variables_or_a_script_file();
void shell_command_has_more_placeholders_than_arguments();
void shell_command_has_fewer_placeholders_than_arguments();

constexpr void diagnose(pattern_error error) {
    switch (error) {
        case pattern_error::none:
            return;
        case pattern_error::inside_quotes:
            return shell_placeholder_inside_quotes__arguments_are_quoted_for_you();
        case pattern_error::inside_backquotes:
            return shell_placeholder_inside_backquotes__write_dollar_parentheses();
        case pattern_error::inside_expansion:
            return shell_placeholder_inside_expansion__assign_it_to_a_variable_first();
        case pattern_error::inside_comment:
            return shell_placeholder_inside_comment();
        case pattern_error::inside_here_document:
            return shell_placeholder_inside_here_document__use_write_file();
        case pattern_error::after_backslash:
            return shell_placeholder_after_backslash__arguments_are_quoted_for_you();
        case pattern_error::joined_to_expansion:
            return shell_placeholder_joined_to_an_expansion__write_double_braces_around_the_name();
        case pattern_error::joined_to_redirection:
            return shell_placeholder_joined_to_a_redirection__put_a_space_between();
        case pattern_error::not_positional:
            return shell_placeholders_are_positional__write_empty_braces_and_double_literal_braces();
        case pattern_error::bad_format_spec:
            return shell_placeholder_with_a_format_spec__only_numbers_take_one_and_no_fill_character();
        case pattern_error::unterminated:
            return shell_command_leaves_a_quote_or_parenthesis_open();
        case pattern_error::too_complex:
            return shell_quoting_is_too_complex_to_check__use_variables_or_a_script_file();
        case pattern_error::more_placeholders_than_arguments:
            return shell_command_has_more_placeholders_than_arguments();
        case pattern_error::fewer_placeholders_than_arguments:
            return shell_command_has_fewer_placeholders_than_arguments();
    }
}

}  // namespace detail

/// A command pattern that was checked while compiling, for arguments of these types. The parameter type of verbs:
///
///     template <class First, class... Rest>
///     void run_twice(guest& machine, std::type_identity_t<shell_format_string<First, Rest...>> pattern,
///                    const First& first, const Rest&... rest) {
///         machine.run(pattern, first, rest...);
///         machine.run(pattern, first, rest...);
///     }
///
/// Each `{}` takes the next argument as exactly one shell word (a range of strings: one word each), wherever it stands;
/// a number may have a format spec (`{:04}`). Arguments are texts, `std::filesystem::path`, ranges of these, numbers,
/// and `raw`. Braces of the shell's own are written twice: `${{HOME}}`. Where a placeholder would not be a word, for
/// example inside quotes, the call does not compile: `pattern_error` has all reasons.
template <class... Args>
class shell_format_string {
public:
    /// Checks the pattern while compiling. Implicit, so that a literal can be passed where a pattern is asked for.
    template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
    consteval shell_format_string(const Text& pattern, source_location where = source_location::current())
        : pattern_(pattern), where_(where) {
        detail::diagnose(check_command_pattern(pattern_, {detail::shell_argument<std::remove_cvref_t<Args>>::kind...}));
        // Our check comes first for its better words; this one knows which specs a number's type takes.
        static_cast<void>(
            fmt::format_string<typename detail::shell_argument<std::remove_cvref_t<Args>>::type...>(pattern));
    }

    /// The pattern as it was written. A literal: valid for the whole program.
    [[nodiscard]] constexpr std::string_view text() const noexcept { return pattern_; }
    /// Where the pattern was written.
    [[nodiscard]] constexpr const source_location& where() const noexcept { return where_; }

private:
    std::string_view pattern_;
    source_location where_;
};

/// The shell command that a pattern and its arguments make, as a text: `command("rm -- {}", name)`.
///
/// Quoting makes an argument one word, not harmless: to `rm {}` "-rf" is an option, so write `rm -- {}`; and a word
/// that a program hands to another shell (`sh -c {}`, `ssh host {}`) is a command there.
/// Throws `usage_error` where an argument contains a NUL byte or is a null pointer.
template <class First, class... Rest>
[[nodiscard]] std::string command(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
                                  const Rest&... rest) {
    const auto fill = [&](const auto&... rendered) {
        return detail::fill_command_pattern(pattern.text(), fmt::make_format_args(rendered...));
    };
    return fill(detail::shell_argument<First>::render(first), detail::shell_argument<Rest>::render(rest)...);
}

/// Without arguments a command is what it says, braces included: `find . -exec rm {} \;`. A forgotten argument is not
/// noticed therefore.
[[nodiscard]] inline std::string command(std::string_view verbatim) {
    return std::string(verbatim);
}

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/command_pattern.ipp>
#endif
