// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/event.hpp>

namespace vmdsl {

/// Renders an event as one line of JSON, without the line's end. Control bytes and broken UTF-8 come out as \u escapes
/// (a byte that is no UTF-8 becomes U+DC80..U+DCFF's replacement text `\xNN`), so that any reader can parse it.
[[nodiscard]] VMDSL_DECL std::string to_json_line(const event& e);

/// Reads such a line. Empty where the line is no event (for example cut off because its writer was killed).
[[nodiscard]] VMDSL_DECL std::optional<event> parse_json_line(std::string_view line);

/// Where this process' events go: a file descriptor that a whole line is written to at a time, so that several threads
/// never mix. Events emitted while no descriptor is set are dropped.
VMDSL_DECL void set_event_descriptor(int fd) noexcept;

/// Emits one event, stamped with the present time. Thread-safe; never throws (a broken pipe loses the event).
VMDSL_DECL void emit(event_kind kind, std::string_view machine,
                     std::initializer_list<std::pair<std::string_view, event::value>> fields) noexcept;

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/event_stream.ipp>
#endif
