// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// Whether an environment block (NUL-terminated "name=value" entries, as in /proc/PID/environ) carries the run's id.
[[nodiscard]] VMDSL_DECL bool carries_run_id(std::string_view environment, std::string_view run_id) noexcept;

/// How long the processes of one run may take to end once they were killed.
inline constexpr std::chrono::seconds end_of_run_limit{5};

/// Ends every process of this user that carries the run's id in its environment, except for the calling one, and waits
/// until they are gone. Returns false where some are left after `limit`.
///
/// A look at /proc takes a while and is no snapshot: a process that was forked behind the look's back by one that has
/// ended since is in neither place. So it repeats until `clean_looks` looks in a row, some time apart, find none. One
/// is enough where the run's processes are known to have ended. A process that was started with an emptied environment
/// is not found at all; PR_SET_PDEATHSIG is the net below this one.
[[nodiscard]] VMDSL_DECL bool end_run_processes(std::string_view run_id, std::chrono::milliseconds limit,
                                                int clean_looks = 3);

/// The children of the calling thread's process that this thread started or that were handed to it as a subreaper, as
/// one snapshot. Empty (no value) where the kernel doesn't tell.
[[nodiscard]] VMDSL_DECL std::optional<std::vector<pid_t>> own_children();

/// What to start a program with that ends with us; our own executable unless it says otherwise.
struct respawn_plan {
    std::string program = "/proc/self/exe";
    std::vector<std::string> arguments;    ///< All of them, the program's name first.
    std::vector<std::string> environment;  ///< "name=value"; replaces the present environment as a whole.
    std::vector<int> inherited;            ///< Descriptors that the new process keeps, under the same numbers.
    bool own_session = false;     ///< A session of its own (no terminal, no signals from it), and no PR_SET_PDEATHSIG.
    bool own_group = false;       ///< A process group of its own: a terminal's Ctrl-C does not reach it.
    bool no_input = false;        ///< Standard input is /dev/null.
    bool only_inherited = false;  ///< Closes every other descriptor but the standard ones.
};

/// Starts the program. Unless it gets a session of its own, it is killed when the calling thread ends:
/// call it from the main thread. Throws `could_not_run`.
[[nodiscard]] VMDSL_DECL pid_t respawn(const respawn_plan& plan);

/// The present environment with the given "name=value" entries added or replaced.
[[nodiscard]] VMDSL_DECL std::vector<std::string> environment_with(const std::vector<std::string>& changes);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/process/impl/run_processes.ipp>
#endif
