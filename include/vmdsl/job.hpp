// SPDX-License-Identifier: BSL-1.0
#pragma once

/// A command that runs in a guest while the test goes on: what `guest::spawn` returns.

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/source_location.hpp>
#include <vmdsl/guest/command.hpp>

namespace vmdsl {

/// A command that runs while the test goes on:
///
///     auto log = client.spawn("journalctl --follow");
///     client.run("systemctl restart cron");
///     log.signal();
///     BOOST_TEST(log.wait(10s).signal() == 15);
///
/// Copies mean the same command. It ends with its machine: `wait()` and `running()` throw `machine_died` then. At most
/// 256 MiB of each of its streams are kept; a command that prints more is killed. Thread-safe. Valid as long as its
/// network.
class job {
public:
    /// Waits for its end, whatever its exit code, and returns what it did. The limit is that of the `guest` that
    /// spawned it (default: 5 min); after it the command's whole tree is killed, which may take 20 s more, and
    /// `timed_out` is thrown. Throws `guest_error` where it could not be run or printed too much.
    VMDSL_DECL command_result wait(source_location where = source_location::current());
    /// The same with a limit of its own, which counts from this call.
    VMDSL_DECL command_result wait(std::chrono::nanoseconds limit, source_location where = source_location::current());

    /// Whether it has not ended yet.
    [[nodiscard]] VMDSL_DECL bool running() const;

    /// What it has printed on standard output so far, byte for byte.
    [[nodiscard]] VMDSL_DECL std::string out_so_far() const;

    /// Sends a signal to the command's own process, by its number (default: 15, SIGTERM), and returns at once. Does
    /// nothing where the command has ended.
    VMDSL_DECL void signal(int number = 15);
    /// Kills every process of its tree (SIGKILL), also those that left its process group, and returns at once.
    VMDSL_DECL void kill();

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
