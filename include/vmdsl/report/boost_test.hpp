// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>

namespace vmdsl {

/// Calls `hook` after every case, before its end is reported: what it emits (`event_kind::evidence`) still belongs to
/// the case, and `fail_ending_case` can still fail it. A case that hangs or crashes gets no such call: the supervisor
/// then shows what the case has added to each `console_file` that an evidence event has named, so name them when a
/// machine starts. Hooks run in the order of registration on the case's thread; what they throw becomes a warning.
/// The time they take does not count as the case's, but the case's deadline still runs.
VMDSL_DECL void on_case_end(std::function<void(bool passed)> hook);

/// Fails the case that is about to end, with this problem: for `on_case_end` hooks. Outside of those nothing happens.
VMDSL_DECL void fail_ending_case(const error& problem);

/// The case that is running, with its suites ("web/serves"); empty outside of any case. To be asked on the case's own
/// thread, or on one that it waits for.
[[nodiscard]] VMDSL_DECL std::string running_case();

/// Calls `hook` when Boost.Test is done, fixtures included, and the worker process is about to report that and to exit.
/// Not called where the process ends in any other way. What a hook throws becomes a warning.
VMDSL_DECL void on_worker_end(std::function<void()> hook);

namespace detail {

/// The first argument that makes our executable a worker: the process that runs the cases.
inline constexpr std::string_view worker_argument = "--vmdsl-worker";

/// Sets what Boost.Test shall do where the user does not say so, on the command line or in the environment: no report,
/// no log of its own (unless the arguments ask for one), no going on after a signal.
VMDSL_DECL void set_boost_test_defaults(const std::vector<char*>& arguments);

/// Once Boost.Test has read them: programs that a spec starts must not inherit them.
VMDSL_DECL void take_back_boost_test_defaults() noexcept;

/// Runs Boost.Test and sends its events. `arguments`: the program's name, the worker argument, the descriptor for
/// events, the descriptor of the list of finished cases (a line each: "+name" where it passed, "-name" where not), then
/// Boost.Test's own. Returns the process' exit code.
[[nodiscard]] VMDSL_DECL int worker_main(const std::vector<char*>& arguments);

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/boost_test.ipp>
#endif
