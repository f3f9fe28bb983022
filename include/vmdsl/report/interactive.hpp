// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/core/config.hpp>
#include <vmdsl/report/command_line.hpp>

namespace vmdsl {

/// Boots a network for a person, and gives it a prompt, until that person leaves it, a signal comes or the terminal is
/// closed. No case runs: a worker goes up to the point at which the first case (of those that were asked for) has its
/// network, and keeps it. The prompt is another program, so that no spec needs a line editor; where it is not found the
/// network runs until a signal ends it.
///
/// Results go to "interactive" below the output folder: those of test runs stay. Returns the exit code: the prompt's,
/// 128 + N after a signal N, 69 or 201 where the network could not be brought up. Throws `could_not_run`. Must be
/// called on the main thread of a process that has no other.
[[nodiscard]] VMDSL_DECL int run_interactively(const command_line& line);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/interactive.ipp>
#endif
