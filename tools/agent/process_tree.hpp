// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

#include <sys/types.h>

namespace vmdsl::agent {

/// Name of the environment variable by which a command's descendants are known where there are no cgroups: it stays
/// when they leave their session and when their parent is gone.
inline constexpr std::string_view tree_mark = "VMDSL_COMMAND";

/// Sends the signal to a command's process and everything that came from it: its descendants, its session, and
/// processes with the mark (a value of `tree_mark`) in their environment. SIGKILL is repeated until none is left,
/// others where a process was just executing a program and so could not be told. For systems without cgroups. `command`
/// is -1 once the process itself has been reaped.
void signal_process_tree(pid_t command, std::string_view mark, int number);

}  // namespace vmdsl::agent
