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

/// Renders an event as one line of JSON, without the line's end:
///
///     {"at":81234567890,"event":"command","machine":"client","fields":{"text":"true","seconds":0.25}}
///
/// `at` is in nanoseconds; `machine` is left out where it is empty. Any bytes can be rendered, since consoles print
/// any: what is no UTF-8 comes out as the text \xNN (see append_json_string), so that any reader can parse the line.
[[nodiscard]] VMDSL_DECL std::string to_json_line(const event& e);

/// Reads such a line. Empty where the line is no event (for example cut off because its writer was killed), never an
/// exception for what is in it. What was no UTF-8, and numbers that are not finite, do not come back as they were.
[[nodiscard]] VMDSL_DECL std::optional<event> parse_json_line(std::string_view line);

/// Where this process' events go: a file descriptor that a whole line is written to at a time, so that several threads
/// never mix. The caller keeps the descriptor open until it has set another one, or -1 for none. Events emitted while
/// there is none are dropped. Thread-safe.
VMDSL_DECL void set_event_descriptor(int fd) noexcept;

/// Emits one event, stamped with the present time: the lines of a process are in the order of their times.
///
/// Blocks while the reader is slow, so that nothing is lost. Thread-safe; never throws and never raises SIGPIPE: where
/// the reader is gone or the disk is full, the event is lost. After a line that could be written only in part, the
/// next event starts on a line of its own.
VMDSL_DECL void emit(event_kind kind, std::string_view machine,
                     std::initializer_list<std::pair<std::string_view, event::value>> fields) noexcept;

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/event_stream.ipp>
#endif
