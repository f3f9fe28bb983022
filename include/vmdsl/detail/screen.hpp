// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/source_location.hpp>
#include <vmdsl/core/text_pattern.hpp>
#include <vmdsl/detail/machine_runtime.hpp>

namespace vmdsl::detail {

// What a person would do who sits before the machine. All of it throws `timed_out` and `machine_died`.

/// Waits for a line of the console, and returns it.
[[nodiscard]] VMDSL_DECL std::string await_console_text(machine_runtime& machine, const text_pattern& pattern,
                                                        deadline until, const source_location& where);

/// The text on one of the guest's virtual terminals: lines without blanks at their ends, nor empty ones at the end.
/// Throws `guest_error` where the guest has no such terminal.
[[nodiscard]] VMDSL_DECL std::string tty_text(machine_runtime& machine, unsigned number, deadline until,
                                              const source_location& where);
/// Waits until a line there has the pattern, and returns it.
[[nodiscard]] VMDSL_DECL std::string await_tty_text(machine_runtime& machine, unsigned number,
                                                    const text_pattern& pattern, deadline until,
                                                    const source_location& where);

/// Asks QEMU. Throws `usage_error` where the arguments are no JSON object, `error` where QEMU refuses.
[[nodiscard]] VMDSL_DECL std::string ask_qemu(machine_runtime& machine, std::string_view command,
                                              std::string_view arguments, deadline until, const source_location& where);
/// Waits for an event of QEMU's, and returns its data.
[[nodiscard]] VMDSL_DECL std::string await_qmp_event(machine_runtime& machine, std::string_view name, deadline until,
                                                     const source_location& where);

/// Writes a picture of the screen (PNG) to a file of the host.
VMDSL_DECL void take_screenshot(machine_runtime& machine, const std::filesystem::path& file, deadline until,
                                const source_location& where);

/// Presses keys together: "ctrl-alt-delete".
VMDSL_DECL void press_keys(machine_runtime& machine, std::string_view chord, deadline until,
                           const source_location& where);
/// Types a text on a US keyboard. Throws `usage_error` where that has no key for a character.
VMDSL_DECL void type_text(machine_runtime& machine, std::string_view text, deadline until,
                          const source_location& where);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/screen.ipp>
#endif
