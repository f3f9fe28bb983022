// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <vmdsl/core/config.hpp>
#include <vmdsl/report/command_line.hpp>

namespace vmdsl {

/// How a test program ends. A signal N that ended the run makes it 128 + N.
enum class exit_code : std::uint8_t {
    passed = 0,          ///< No case failed.
    usage = 64,          ///< Wrong options, or no case matches them (EX_USAGE).
    could_not_run = 69,  ///< Some cases could not run, and none failed (EX_UNAVAILABLE).
    failed = 201,        ///< At least one case failed (Boost.Test's own code).
};

/// Runs the cases in worker processes and reports them: the terminal log on standard output, junit.xml and events.jsonl
/// in the output folder.
///
/// A case that exceeds its deadline, or in which the worker dies, gets an error, and a new worker goes on with the
/// remaining cases, until three workers in a row have died without finishing a case. Throws `could_not_run` where the
/// run can't start. Must be called on the main thread of a process that has no other.
[[nodiscard]] VMDSL_DECL int supervise(const command_line& line);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/supervisor.ipp>
#endif
