// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>

namespace vmdsl {

/// How a child process ended.
struct child_exit {
    int code = 0;             ///< Exit code; meaningless where `signal` is set.
    int signal = 0;           ///< The signal that ended it, 0 where it exited by itself.
    std::string output_tail;  ///< The end of its standard output and error, mixed.

    /// "exited with code 1", "was ended by signal 9 (Killed)".
    [[nodiscard]] VMDSL_DECL std::string describe() const;
};

/// What to start.
struct child_options {
    std::string program;                 ///< Path of the executable.
    std::vector<std::string> arguments;  ///< Without the program's own name.
    std::vector<int> inherited;  ///< Descriptors that the child keeps, under the same numbers; all others are closed.
    std::function<void(const child_exit&)> on_exit;  ///< Called on the I/O thread, once.
    std::size_t output_limit = 8192;                 ///< How many bytes of output are kept, the last ones.
};

/// A child process that dies with us, whatever happens to us.
///
/// It is forked on the I/O thread (PR_SET_PDEATHSIG follows the forking thread), in a process group of its own so that
/// a terminal's Ctrl-C reaches only us, with standard input from /dev/null and both outputs kept as a tail.
class child : public std::enable_shared_from_this<child> {
public:
    /// Starts the program. Throws `could_not_run` where it can't be executed or watched; it does not run then.
    [[nodiscard]] static VMDSL_DECL std::shared_ptr<child> start(child_options options);

    VMDSL_DECL ~child();
    child(const child&) = delete;
    child& operator=(const child&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Sends a signal, unless the process has ended already. Thread-safe.
    VMDSL_DECL void send_signal(int number) noexcept;

    /// Waits for the end. Empty where the deadline passed first. Not on the I/O thread.
    [[nodiscard]] VMDSL_DECL std::optional<child_exit> wait(deadline until);

    /// Whether it has ended, and how. Thread-safe.
    [[nodiscard]] VMDSL_DECL std::optional<child_exit> ended() const;

private:
    struct implementation;

    child() = default;

    std::unique_ptr<implementation> impl_;
    pid_t pid_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<child_exit> exit_;
};

/// Runs a program to its end and returns how it ended, with all of its output (at most 1 MiB) as `output_tail`.
/// Kills it when the deadline passes and says so in `output_tail`.
[[nodiscard]] VMDSL_DECL child_exit run_program(std::string program, std::vector<std::string> arguments,
                                                deadline until);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/process/impl/child.ipp>
#endif
