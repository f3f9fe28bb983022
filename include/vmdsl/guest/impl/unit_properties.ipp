// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/unit_properties.hpp>

namespace vmdsl {

namespace detail {

inline bool is_property_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

}  // namespace detail

VMDSL_DECL unit_properties::unit_properties(std::string unit, std::string_view shown) : unit_(std::move(unit)) {
    std::string* last = nullptr;
    while (!shown.empty()) {
        const auto line = shown.substr(0, shown.find('\n'));
        shown.remove_prefix(std::min(line.size() + 1, shown.size()));
        const auto equals = line.find('=');
        if (equals != std::string_view::npos && detail::is_property_name(line.substr(0, equals))) {
            const auto [entry, fresh] = values_.try_emplace(std::string(line.substr(0, equals)));
            last = &entry->second;
            *last += (fresh ? "" : "\n") + std::string(line.substr(equals + 1));
        } else if (last != nullptr) {
            *last += "\n" + std::string(line);  // a value of several lines
        }
    }
}

VMDSL_DECL const std::string& unit_properties::value(std::string_view property) const {
    const auto found = values_.find(property);
    if (found == values_.end()) {
        throw usage_error("unit " + unit_ + " has no property " + std::string(property),
                          "`systemctl show " + unit_ + "` in the guest prints those that it has.");
    }
    return found->second;
}

VMDSL_DECL std::int64_t unit_properties::number(std::string_view property) const {
    const auto& text = value(property);
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || end != text.data() + text.size()) {
        throw usage_error("property " + std::string(property) + " of unit " + unit_ + " is no number: \"" + text +
                          "\"");
    }
    return number;
}

VMDSL_DECL std::string unit_properties::state_text() const {
    return exists() ? active_state() + " (" + sub_state() + ")" : "there is none";
}

}  // namespace vmdsl
