// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// A machine's console: keeps its last lines and recognises a kernel that has given up. Sans-I/O, not thread-safe, and
/// bounded whatever the guest prints.
class console_log {
public:
    static constexpr std::size_t max_line = 4096;  ///< Longer lines are cut into several.
    static constexpr std::size_t max_lines = 400;  ///< Older lines are forgotten (the console's file has them).

    /// Takes what the guest wrote. Returns the line that says that the kernel panicked, the first time it appears.
    VMDSL_DECL std::optional<std::string> feed(std::string_view bytes);

    /// The last `lines` lines, each with its end; a last unfinished line is included.
    [[nodiscard]] VMDSL_DECL std::string tail(std::size_t lines = 40) const;

    /// The lines from the panic on (or an oops before it), empty where there was none.
    [[nodiscard]] VMDSL_DECL std::string panic_text() const;

    /// What comes next begins on a line of its own.
    VMDSL_DECL void end_unfinished_line();

    /// Forgets a panic: the machine starts again.
    void restart() noexcept { panic_from_.reset(); }

private:
    VMDSL_DECL void end_line(std::optional<std::string>& panic);

    std::deque<std::string> lines_;
    std::string current_;
    std::optional<std::size_t> panic_from_;  // index into lines_
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/console_log.ipp>
#endif
