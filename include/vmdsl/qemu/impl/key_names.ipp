// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <utility>

#include <vmdsl/core/error.hpp>
#include <vmdsl/qemu/key_names.hpp>

namespace vmdsl {

namespace detail {

using key_pair = std::pair<std::string_view, std::string_view>;

inline constexpr std::array<key_pair, 17> key_aliases{{{"enter", "ret"},
                                                       {"return", "ret"},
                                                       {"escape", "esc"},
                                                       {"space", "spc"},
                                                       {"control", "ctrl"},
                                                       {"del", "delete"},
                                                       {"ins", "insert"},
                                                       {"meta", "meta_l"},
                                                       {"super", "meta_l"},
                                                       {"win", "meta_l"},
                                                       {"altgr", "alt_r"},
                                                       {"pageup", "pgup"},
                                                       {"pagedown", "pgdn"},
                                                       {"capslock", "caps_lock"},
                                                       {"numlock", "num_lock"},
                                                       {"printscreen", "print"},
                                                       {"period", "dot"}}};

struct us_key {
    char plain;
    char shifted;  // 0: the same key with shift types something that has no character
    std::string_view name;
};

inline constexpr std::array<us_key, 24> us_keys{{{'1', '!', "1"},
                                                 {'2', '@', "2"},
                                                 {'3', '#', "3"},
                                                 {'4', '$', "4"},
                                                 {'5', '%', "5"},
                                                 {'6', '^', "6"},
                                                 {'7', '&', "7"},
                                                 {'8', '*', "8"},
                                                 {'9', '(', "9"},
                                                 {'0', ')', "0"},
                                                 {'-', '_', "minus"},
                                                 {'=', '+', "equal"},
                                                 {'[', '{', "bracket_left"},
                                                 {']', '}', "bracket_right"},
                                                 {';', ':', "semicolon"},
                                                 {'\'', '"', "apostrophe"},
                                                 {'`', '~', "grave_accent"},
                                                 {'\\', '|', "backslash"},
                                                 {',', '<', "comma"},
                                                 {'.', '>', "dot"},
                                                 {'/', '?', "slash"},
                                                 {' ', 0, "spc"},
                                                 {'\n', 0, "ret"},
                                                 {'\t', 0, "tab"}}};

}  // namespace detail

VMDSL_DECL std::vector<std::string> keys_of(std::string_view chord) {
    std::vector<std::string> keys;
    for (std::size_t from = 0; from <= chord.size();) {
        const auto end = std::min(chord.find('-', from), chord.size());
        const auto name = chord.substr(from, end - from);
        if (name.empty()) {
            throw usage_error("\"" + std::string(chord) + "\" is no key",
                              "Write names with hyphens between them, as in \"ctrl-alt-delete\"; the hyphen's own name "
                              "is minus.");
        }
        const auto* const alias = std::find_if(detail::key_aliases.begin(), detail::key_aliases.end(),
                                               [&](const auto& a) { return a.first == name; });
        keys.emplace_back(alias != detail::key_aliases.end() ? alias->second : name);
        from = end + 1;
    }
    return keys;
}

VMDSL_DECL std::optional<std::vector<std::string>> keys_for(char character) {
    if (character >= 'a' && character <= 'z') {
        return std::vector<std::string>{std::string(1, character)};
    }
    if (character >= 'A' && character <= 'Z') {
        return std::vector<std::string>{"shift", std::string(1, static_cast<char>(character - 'A' + 'a'))};
    }
    for (const auto& key : detail::us_keys) {
        if (key.plain == character) {
            return std::vector<std::string>{std::string(key.name)};
        }
        if (key.shifted == character && character != 0) {
            return std::vector<std::string>{"shift", std::string(key.name)};
        }
    }
    return std::nullopt;
}

}  // namespace vmdsl
