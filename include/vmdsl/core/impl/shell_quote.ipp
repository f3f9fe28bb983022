// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/shell_quote.hpp>

namespace vmdsl {

namespace detail {

/// Bare where they stand first, these would be syntax.
inline bool is_shell_keyword(std::string_view word) noexcept {
    constexpr std::array<std::string_view, 17> keywords{"case",   "coproc", "do",   "done",     "elif", "else",
                                                        "esac",   "fi",     "for",  "function", "if",   "in",
                                                        "select", "then",   "time", "until",    "while"};
    return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

/// Whether a shell reads the bare word as itself wherever a pattern may put it. Left out on purpose: '=' (an
/// assignment before a command), ',' and ".." (brace expansion), '~' (a home directory).
inline bool is_bare_shell_word(std::string_view word) noexcept {
    constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:./-";
    return !word.empty() && word.find_first_not_of(harmless) == std::string_view::npos &&
           word.find("..") == std::string_view::npos && !is_shell_keyword(word);
}

}  // namespace detail

VMDSL_DECL void append_shell_quoted(std::string& out, std::string_view word) {
    if (word.find('\0') != std::string_view::npos) {
        throw usage_error("an argument of a shell command contains a NUL byte",
                          "No program can be given one as an argument: write the bytes to a file and pass its name.");
    }
    if (detail::is_bare_shell_word(word)) {
        out += word;
        return;
    }
    out += '\'';
    for (const char c : word) {
        if (c == '\'') {
            out += "'\\''";
        } else {
            out += c;
        }
    }
    out += '\'';
}

VMDSL_DECL std::string shell_quoted(std::string_view word) {
    std::string out;
    append_shell_quoted(out, word);
    return out;
}

}  // namespace vmdsl
