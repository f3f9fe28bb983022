// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/detail/machine_runtime.hpp>

namespace vmdsl::detail {

// The verbs for systemd's units. All of them throw `guest_error` at once where the machine has no systemd, and wait for
// it where it has not come up yet.

/// Waits until a unit is active. Throws `guest_error` at once where it never will be, `timed_out`, `machine_died`.
VMDSL_DECL void await_unit(machine_runtime& machine, const std::string& unit, deadline until);

/// Has systemd "start" or "stop" a unit and waits for that. Throws `guest_error` where it fails, `timed_out`,
/// `machine_died`.
VMDSL_DECL void change_unit(machine_runtime& machine, const std::string& verb, const std::string& unit, deadline until);

/// What `systemctl show` prints of a unit. Throws likewise.
[[nodiscard]] VMDSL_DECL std::string show_unit(machine_runtime& machine, const std::string& unit, deadline until);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/units.ipp>
#endif
