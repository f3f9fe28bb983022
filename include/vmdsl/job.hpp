// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/source_location.hpp>
#include <vmdsl/guest/command.hpp>

namespace vmdsl {

/// A command that runs while the test goes on. Copies mean the same command. Ends with its machine.
class job {
public:
    /// Waits for its end, whatever its exit code. The limit is that of the `spawn`ing guest (default: 5 min); after it
    /// the command's whole tree is killed, which may take 20 s more, and `timed_out` is thrown.
    VMDSL_DECL command_result wait(source_location where = source_location::current());
    /// The same with a limit of its own.
    VMDSL_DECL command_result wait(std::chrono::nanoseconds limit, source_location where = source_location::current());

    /// Whether it has not ended yet.
    [[nodiscard]] VMDSL_DECL bool running(source_location where = source_location::current()) const;

    /// What it has printed on standard output so far.
    [[nodiscard]] VMDSL_DECL std::string out_so_far(source_location where = source_location::current()) const;

    /// Sends a signal to the command's own process (default: SIGTERM).
    VMDSL_DECL void signal(int number = 15, source_location where = source_location::current());
    /// Kills every process of its tree (SIGKILL), also those that left its process group.
    VMDSL_DECL void kill(source_location where = source_location::current());

private:
    friend class guest;
    struct state;

    explicit job(std::shared_ptr<state> s) : state_(std::move(s)) {}

    std::shared_ptr<state> state_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/job.ipp>
#endif
