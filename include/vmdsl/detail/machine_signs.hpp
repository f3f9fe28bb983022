// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/text_pattern.hpp>

namespace vmdsl::detail {

/// What a machine shows unasked, kept until a wait takes it: its console's text and QEMU's events. A wait begins where
/// the one before ended, so that nothing is missed between two waits and nothing is found twice. Bounded whatever the
/// guest prints; thread-safe.
class machine_signs {
public:
    static constexpr std::size_t max_text = 1U << 20;  ///< Bytes of console text that are kept; older ones are dropped.
    static constexpr std::size_t max_line = 4096;      ///< A longer line is cut into several.
    static constexpr std::size_t max_events = 1000;
    /// How long a line that has the text gets to be complete, which a prompt never is.
    static constexpr std::chrono::milliseconds line_pause{200};

    /// The machine was switched on: what it showed before is forgotten.
    VMDSL_DECL void begin();
    /// It is dead or switched off. What it showed until then can still be taken.
    VMDSL_DECL void end(const error_details& why);

    VMDSL_DECL void take_console(std::string_view bytes);
    /// `data` is the event's data as JSON text.
    VMDSL_DECL void take_event(std::string_view name, std::string_view data);

    /// Waits for a line with the pattern and returns that line: all of it, or what there is of it after `line_pause`.
    /// Nothing where the deadline passed; throws `machine_died` where the machine ended before.
    [[nodiscard]] VMDSL_DECL std::optional<std::string> await_line(const text_pattern& pattern, deadline until);
    /// Waits for an event and returns its data. Likewise.
    [[nodiscard]] VMDSL_DECL std::optional<std::string> await_event(std::string_view name, deadline until);

private:
    struct event {
        std::string name;
        std::string data;
    };

    /// Looks from the line `number` on, which becomes that of the line that has the pattern, or of the one to go on
    /// with. Returns where the pattern ends.
    [[nodiscard]] VMDSL_DECL std::optional<std::size_t> find_line(const text_pattern& pattern,
                                                                  std::uint64_t& number) const;
    VMDSL_DECL std::string take_of_first_line(std::size_t size);
    VMDSL_DECL void drop_first_line();
    [[nodiscard]] VMDSL_DECL std::optional<std::string> take_event_named(std::string_view name);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::string> lines_;  // the last one may not be complete yet
    std::uint64_t first_line_ = 0;   // the number of the first of them; they go on over the machine's starts
    bool line_open_ = false;
    std::size_t text_size_ = 0;
    std::deque<event> events_;
    std::optional<error_details> ended_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/machine_signs.ipp>
#endif
