// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include <vmdsl/core/event.hpp>

namespace vmdsl {

namespace detail {

/// In the order of the enumeration.
inline constexpr std::array<std::string_view, 23> event_kind_names{
    "run_begin", "plan",    "case_begin", "case_time", "case_end", "case_skipped", "check_failed", "exception",
    "evidence",  "phase",   "phase_end",  "step",      "step_end", "verb",         "command",      "fault",
    "note",      "warning", "fact",       "file",      "coverage", "ready",        "run_end"};
static_assert(event_kind_names.size() == static_cast<std::size_t>(event_kind::run_end) + 1);

inline const event::value* find_event_field(const event& e, std::string_view name) noexcept {
    for (const auto& [key, value] : e.fields) {
        if (key == name) {
            return &value;
        }
    }
    return nullptr;
}

}  // namespace detail

VMDSL_DECL std::string_view to_string(event_kind kind) noexcept {
    const auto index = static_cast<std::size_t>(kind);
    return index < detail::event_kind_names.size() ? detail::event_kind_names[index] : std::string_view("unknown");
}

VMDSL_DECL std::string_view event::text(std::string_view name, std::string_view fallback) const noexcept {
    const auto* found = std::get_if<std::string>(detail::find_event_field(*this, name));
    return found != nullptr ? std::string_view(*found) : fallback;
}

VMDSL_DECL double event::number(std::string_view name, double fallback) const noexcept {
    const auto* found = detail::find_event_field(*this, name);
    if (const auto* integer = std::get_if<std::int64_t>(found)) {
        return static_cast<double>(*integer);
    }
    if (const auto* real = std::get_if<double>(found); real != nullptr && !std::isnan(*real)) {
        return *real;
    }
    return fallback;
}

VMDSL_DECL bool event::flag(std::string_view name, bool fallback) const noexcept {
    const auto* found = std::get_if<bool>(detail::find_event_field(*this, name));
    return found != nullptr ? *found : fallback;
}

}  // namespace vmdsl
