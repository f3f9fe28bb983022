// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/text_pattern.hpp>
#include <vmdsl/detail/machine_runtime.hpp>

namespace vmdsl::detail {

// What a person would do who sits before the machine. All of it throws `timed_out` and `machine_died`.

/// Waits for a line of the console, and returns it.
[[nodiscard]] VMDSL_DECL std::string await_console_text(machine_runtime& machine, const text_pattern& pattern,
                                                        deadline until);

/// The text on one of the guest's virtual terminals: lines without blanks at their ends, nor empty ones at the end.
/// Throws `guest_error` where the guest has no such terminal.
[[nodiscard]] VMDSL_DECL std::string tty_text(machine_runtime& machine, unsigned number, deadline until);
/// Waits until a line there has the pattern, and returns it.
[[nodiscard]] VMDSL_DECL std::string await_tty_text(machine_runtime& machine, unsigned number,
                                                    const text_pattern& pattern, deadline until);

/// Waits for an event of QEMU's, and returns its data.
[[nodiscard]] VMDSL_DECL std::string await_qmp_event(machine_runtime& machine, std::string_view name, deadline until);

/// Writes a picture of the screen (PNG) to a file of the host.
VMDSL_DECL void take_screenshot(machine_runtime& machine, const std::filesystem::path& file, deadline until);

/// Presses keys together: "ctrl-alt-delete".
VMDSL_DECL void press_keys(machine_runtime& machine, std::string_view chord, deadline until);
/// Types a text on a US keyboard. Throws `usage_error` where that has no key for a character.
VMDSL_DECL void type_text(machine_runtime& machine, std::string_view text, deadline until);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/screen.ipp>
#endif
