// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The check of command patterns, which happens while a spec compiles. Each reason for which a pattern is refused is
/// here with an example; the compiler's message has the same words.
///
///     static_assert(check_command_pattern("svn info {}", {argument_kind::text}) == pattern_error::none);
///     static_assert(check_command_pattern("echo '{}'", {argument_kind::text}) == pattern_error::inside_quotes);

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include <vmdsl/core/pattern_cursor.hpp>

namespace vmdsl {

/// Why a command pattern is refused. What can't be judged without being a shell is refused as well: a placeholder that
/// compiles is one whose argument stays one word of the command, in bash and in dash.
enum class pattern_error : std::uint8_t {
    none,                   ///< It is fine.
    inside_quotes,          ///< "grep '{}' f": quoted twice is not quoted.
    inside_backquotes,      ///< "echo `cat {}`": write $(cat {}).
    inside_expansion,       ///< "${{x:-{}}}", "$(( {} ))", "(( {} ))": evaluated again, quotes or not.
    inside_comment,         ///< "true # {}": nothing would be done with it.
    inside_here_document,   ///< Anywhere after the line of a <<: quotes mean nothing there.
    after_backslash,        ///< "\{}": would escape the argument's first quote.
    joined_to_expansion,    ///< "${}", "$name{}", "~{}": the argument would become a part of the name.
    joined_to_redirection,  ///< "echo {}>f": the argument 2 would become a descriptor.
    not_positional,         ///< "{0}", "{name}", "{", "}": a brace of the shell is written twice.
    bad_format_spec,        ///< A format spec on a text, or one that brings other characters in.
    unterminated,           ///< A quote, an expansion or a parenthesis is never closed.
    too_complex,            ///< Nested in a way that shells read differently, or that only a shell can follow.
    more_placeholders_than_arguments,   ///< "cp {} {}" with one argument.
    fewer_placeholders_than_arguments,  ///< "cp {}" with two.
};

/// What a placeholder is filled with.
enum class argument_kind : std::uint8_t {
    text,    ///< Quoted words, or raw shell text.
    number,  ///< May have a format spec: "{:04}".
};

namespace detail {

/// Whether a format spec of a number renders nothing but what belongs to the number and blanks: a fill character of
/// the author's, or the presentation as a character, could be a quote.
constexpr bool is_harmless_number_spec(std::string_view spec) noexcept {
    constexpr std::string_view alignments = "<>^";
    const bool has_fill = spec.size() > 1 && alignments.find(spec[1]) != std::string_view::npos;
    return !has_fill && spec.find_first_not_of("<>^+-#0123456789. dxXbBoeEfFgGaA") == std::string_view::npos;
}

/// Reads a pattern as a shell would, as far as that is needed to tell where a placeholder is a word of its own.
class pattern_checker {
public:
    constexpr pattern_checker(std::string_view pattern, std::initializer_list<argument_kind> arguments) noexcept
        : cursor_(pattern), arguments_(arguments) {}

    constexpr pattern_error check() noexcept {
        while (error_ == pattern_error::none) {
            const auto token = cursor_.next();
            switch (token.kind) {
                case pattern_token_kind::end:
                    return error_at_end();
                case pattern_token_kind::stray_brace:
                    return pattern_error::not_positional;
                case pattern_token_kind::placeholder:
                    on_placeholder(token.spec);
                    break;
                case pattern_token_kind::character:
                    on_character(token.character);
                    break;
            }
        }
        return error_;
    }

private:
    enum class context : std::uint8_t {
        command,  ///< Outermost, or inside $( ), ( ), <( ): the only place for placeholders.
        single_quotes,
        dollar_quotes,  ///< $'...', which dash does not know.
        double_quotes,
        backquotes,
        parameter,         ///< ${...}
        arithmetic,        ///< $((...)) or ((...))
        arithmetic_group,  ///< A parenthesis inside of it.
    };
    enum class here_document : std::uint8_t { none, before_delimiter, on_its_line, body };

    constexpr void fail(pattern_error error) noexcept {
        if (error_ == pattern_error::none) {
            error_ = error;
        }
    }

    constexpr void push(context inner) noexcept {
        if (depth_ == stack_.size()) {
            fail(pattern_error::too_complex);
            return;
        }
        stack_[depth_++] = inner;
        word_start_ = inner == context::command;
        word_has_placeholder_ = false;
    }

    constexpr void pop() noexcept {
        --depth_;
        word_start_ = false;
    }

    [[nodiscard]] constexpr context top() const noexcept { return stack_[depth_ - 1]; }

    /// The outermost thing that a placeholder would be inside of; `command` where there is none.
    [[nodiscard]] constexpr context outermost_quoting() const noexcept {
        for (std::size_t i = 0; i < depth_; ++i) {
            if (stack_[i] != context::command) {
                return stack_[i];
            }
        }
        return context::command;
    }

    [[nodiscard]] constexpr bool only_inside_parameters() const noexcept {
        for (std::size_t i = 0; i < depth_; ++i) {
            if (stack_[i] != context::command && stack_[i] != context::parameter) {
                return false;
            }
        }
        return true;
    }

    [[nodiscard]] constexpr pattern_error error_of_place() const noexcept {
        if (here_ == here_document::body || here_ == here_document::before_delimiter) {
            return pattern_error::inside_here_document;
        }
        switch (outermost_quoting()) {
            case context::command:
                break;
            case context::single_quotes:
            case context::dollar_quotes:
            case context::double_quotes:
                return pattern_error::inside_quotes;
            case context::backquotes:
                return pattern_error::inside_backquotes;
            case context::parameter:
            case context::arithmetic:
            case context::arithmetic_group:
                return pattern_error::inside_expansion;
        }
        if (comment_) {
            return pattern_error::inside_comment;
        }
        return inside_name_ || previous_ == '~' ? pattern_error::joined_to_expansion : pattern_error::none;
    }

    constexpr void on_placeholder(std::string_view spec) noexcept {
        fail(error_of_place());
        const bool is_number =
            placeholders_ < arguments_.size() && *(arguments_.begin() + placeholders_) == argument_kind::number;
        if (!spec.empty() && !(is_number && is_harmless_number_spec(spec))) {
            fail(pattern_error::bad_format_spec);
        }
        ++placeholders_;
        word_start_ = false;
        word_has_placeholder_ = true;
        inside_name_ = false;
        previous_ = '\0';
    }

    constexpr void on_character(char c) noexcept {
        if (here_ == here_document::body) {
            return;
        }
        if (c == '\n' && here_ != here_document::none) {
            // Also inside quotes, where a shell would not start the body yet: everything behind is refused anyway.
            here_ = here_document::body;
            return;
        }
        if (comment_ && c != '\n') {
            return;
        }
        comment_ = false;
        if (here_ == here_document::before_delimiter && c != '-' && c != ' ' && c != '\t') {
            here_ = here_document::on_its_line;
        }
        last_taken_ = c;
        in_context(c);
        inside_name_ = last_taken_ == '$' || (inside_name_ && is_name_character(last_taken_));
        previous_ = last_taken_;
    }

    constexpr void in_context(char c) noexcept {
        switch (top()) {
            case context::command:
                return in_command(c);
            case context::single_quotes:
                return in_single_quotes(c);
            case context::dollar_quotes:
                return in_dollar_quotes(c);
            case context::double_quotes:
                return c == '"' ? pop() : in_expandable(c);
            case context::backquotes:
                return in_backquotes(c);
            case context::parameter:
                return in_parameter(c);
            case context::arithmetic:
            case context::arithmetic_group:
                return in_arithmetic(c);
        }
    }

    constexpr void in_command(char c) noexcept {
        switch (c) {
            case '\\':
                return on_backslash_in_command();
            case '\'':
                return push(previous_ == '$' ? context::dollar_quotes : context::single_quotes);
            case '"':
                return push(context::double_quotes);
            case '`':
            case '$':
                word_start_ = false;
                return in_expandable(c);
            case '#':
                return on_hash_in_command();
            case '(':
                return push(take_if('(') ? context::arithmetic : context::command);
            case ')':
                // Without an opening one it ends a pattern of `case`.
                depth_ -= depth_ > 1 ? 1 : 0;
                return end_word();
            case '<':
            case '>':
                return on_redirection(c);
            case ' ':
            case '\t':
            case '\n':
            case ';':
            case '&':
            case '|':
                return end_word();
            default:
                if (c == 'c' && word_start_ && begins_case() && outermost_quoting() != context::command) {
                    // Its patterns end with a parenthesis that would be taken for the end of the substitution.
                    fail(pattern_error::too_complex);
                }
                word_start_ = false;
        }
    }

    constexpr void end_word() noexcept {
        word_start_ = true;
        word_has_placeholder_ = false;
    }

    constexpr void on_backslash_in_command() noexcept {
        const auto token = cursor_.next();
        if (token.is('\n')) {
            // The shell joins the lines before it reads on, so an operator or keyword may go on behind.
            const bool may_join = std::string_view("$<()").find(previous_) != std::string_view::npos;
            if (may_join || inside_name_ || outermost_quoting() != context::command || here_ != here_document::none) {
                fail(pattern_error::too_complex);
            }
            return;
        }
        word_start_ = false;
        take_escaped(token, pattern_error::after_backslash);
    }

    /// Takes what a backslash escapes, inside of quotes.
    constexpr void skip_escaped() noexcept { take_escaped(cursor_.next(), error_of_place()); }

    constexpr void take_escaped(const pattern_token& token, pattern_error where_placeholder) noexcept {
        last_taken_ = '\0';
        switch (token.kind) {
            case pattern_token_kind::end:
                return fail(pattern_error::unterminated);
            case pattern_token_kind::stray_brace:
                return fail(pattern_error::not_positional);
            case pattern_token_kind::placeholder:
                return fail(where_placeholder);
            case pattern_token_kind::character:
                return;
        }
    }

    constexpr void on_hash_in_command() noexcept {
        if (previous_ == ')') {
            fail(pattern_error::too_complex);  // a comment behind a subshell, a part of the word behind $( )
        }
        comment_ = word_start_;
        word_start_ = false;
    }

    constexpr void on_redirection(char c) noexcept {
        if (word_has_placeholder_) {
            fail(pattern_error::joined_to_redirection);
        }
        if (c == '<' && take_if('<') && !take_if('<')) {
            here_ = here_document::before_delimiter;
        }
        end_word();
    }

    [[nodiscard]] constexpr bool begins_case() const noexcept {
        auto ahead = cursor_;
        for (const char expected : std::string_view("ase")) {
            if (!ahead.next().is(expected)) {
                return false;
            }
        }
        const auto behind = ahead.next();
        return behind.kind != pattern_token_kind::character || behind.is_one_of(" \t\n\\");
    }

    constexpr bool take_if(char expected) noexcept {
        if (!cursor_.peek().is(expected)) {
            return false;
        }
        cursor_.next();
        last_taken_ = expected;
        return true;
    }

    /// What expands in double quotes does so elsewhere, too.
    constexpr void in_expandable(char c) noexcept {
        if (c == '\\') {
            return skip_escaped();
        }
        if (c == '`') {
            return push(context::backquotes);
        }
        if (c != '$') {
            return;
        }
        if (take_if('(')) {
            push(take_if('(') ? context::arithmetic : context::command);
        } else if (take_if('{')) {
            push(context::parameter);
        } else if (cursor_.peek().is('[') || follows_joined_line()) {
            fail(pattern_error::too_complex);  // bash's old arithmetic; an expansion that goes on in the next line
        }
    }

    [[nodiscard]] constexpr bool follows_joined_line() const noexcept {
        auto ahead = cursor_;
        return ahead.next().is('\\') && ahead.next().is('\n');
    }

    constexpr void in_single_quotes(char c) noexcept {
        if (c == '\'') {
            pop();
        }
    }

    constexpr void in_backquotes(char c) noexcept {
        if (c == '`') {
            pop();
        } else if (c == '\\') {
            skip_escaped();
        }
    }

    constexpr void in_dollar_quotes(char c) noexcept {
        if (c == '\'') {
            return pop();
        }
        if (c != '\\') {
            return;
        }
        if (cursor_.peek().is('\'')) {
            fail(pattern_error::too_complex);  // bash goes on behind it, dash ends the quotes
        }
        skip_escaped();
    }

    constexpr void in_parameter(char c) noexcept {
        if (c == '}') {
            return pop();
        }
        if (c != '\'' && c != '"') {
            return in_expandable(c);
        }
        if (!only_inside_parameters()) {
            return fail(pattern_error::too_complex);  // a quote or a plain character, depending on the operator
        }
        push(c == '"' ? context::double_quotes : context::single_quotes);
    }

    constexpr void in_arithmetic(char c) noexcept {
        switch (c) {
            case '(':
                return push(context::arithmetic_group);
            case ')':
                if (top() == context::arithmetic && !take_if(')')) {
                    return fail(pattern_error::too_complex);  // two subshells then, written as $((a); b)
                }
                return pop();
            case '"':
                return push(context::double_quotes);
            case '\'':
                return fail(pattern_error::too_complex);
            case '#':
                return on_hash_in_arithmetic();
            default:
                return in_expandable(c);
        }
    }

    /// The mark of a number's base, 16#ff. Anything else may begin a comment, in a shell that sees subshells here.
    constexpr void on_hash_in_arithmetic() noexcept {
        if (!is_name_character(previous_)) {
            fail(pattern_error::too_complex);
        }
    }

    static constexpr bool is_name_character(char c) noexcept {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    }

    [[nodiscard]] constexpr pattern_error error_at_end() const noexcept {
        if (depth_ > 1 && here_ != here_document::body) {
            return pattern_error::unterminated;
        }
        if (placeholders_ > arguments_.size()) {
            return pattern_error::more_placeholders_than_arguments;
        }
        return placeholders_ < arguments_.size() ? pattern_error::fewer_placeholders_than_arguments
                                                 : pattern_error::none;
    }

    pattern_cursor cursor_;
    std::initializer_list<argument_kind> arguments_;
    std::array<context, 16> stack_{};
    std::size_t depth_ = 1;
    std::size_t placeholders_ = 0;
    pattern_error error_ = pattern_error::none;
    here_document here_ = here_document::none;
    char previous_ = '\0';      ///< The last character, '\0' where it was escaped or a placeholder.
    char last_taken_ = '\0';    ///< What will be `previous_` for the next character.
    bool inside_name_ = false;  ///< Behind a '$' and what would continue its name.
    bool word_start_ = true;
    bool word_has_placeholder_ = false;
    bool comment_ = false;
};

}  // namespace detail

/// Judges a pattern for a command with arguments of these kinds, and returns the first thing that is wrong with it. The
/// compile-time check of `run(pattern, args...)`; as a function of its own so that it can be asked about a pattern that
/// would not compile.
[[nodiscard]] constexpr pattern_error check_command_pattern(std::string_view pattern,
                                                            std::initializer_list<argument_kind> arguments) noexcept {
    return detail::pattern_checker(pattern, arguments).check();
}

}  // namespace vmdsl
