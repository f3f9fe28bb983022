// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <vmdsl/core/command_pattern.hpp>
#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/source_location.hpp>
#include <vmdsl/guest/command.hpp>

namespace vmdsl {

namespace detail {
class network_core;
struct verb_answer;
}  // namespace detail

/// A command that runs while the test goes on. Copies mean the same command. Ends with its machine.
class job {
public:
    /// Waits for its end, whatever its exit code. The limit is that of the `spawn`ing guest (default: 5 min); after it
    /// the command's whole tree is killed, which may take 20 s more, and `timed_out` is thrown.
    VMDSL_DECL command_result wait(source_location where = source_location::current());
    /// The same with a limit of its own.
    VMDSL_DECL command_result wait(std::chrono::nanoseconds limit, source_location where = source_location::current());

    /// Whether it has not ended yet.
    [[nodiscard]] VMDSL_DECL bool running() const;

    /// What it has printed on standard output so far.
    [[nodiscard]] VMDSL_DECL std::string out_so_far() const;

    /// Sends a signal to the command's own process (default: SIGTERM).
    VMDSL_DECL void signal(int number = 15);
    /// Kills every process of its tree (SIGKILL), also those that left its process group.
    VMDSL_DECL void kill();

private:
    friend class guest;
    struct state;

    explicit job(std::shared_ptr<state> s) : state_(std::move(s)) {}

    std::shared_ptr<state> state_;
};

/// A machine of a running network: what a spec talks to.
///
/// Every verb that waits has a limit, says on which machine, what was asked and what came back when it fails, and ends
/// at once with `machine_died` where the kernel panics, QEMU ends or the agent is lost. A command that is over its
/// limit is killed first, for which a guest that does not answer gets 20 s more. Verbs may be called by several
/// threads, also those of one machine. Valid as long as its network.
class guest {
public:
    VMDSL_DECL guest(detail::network_core& network, std::size_t index);

    [[nodiscard]] VMDSL_DECL const std::string& name() const noexcept;

    /// The same machine with another limit for the verbs called on it: `client.within(5s).run("...")`. The default is
    /// 5 minutes.
    [[nodiscard]] VMDSL_DECL guest within(std::chrono::nanoseconds limit) const;

    /// Runs a shell command as root (/bin/sh, in /root) and returns what it did. Throws `command_failed` where it ends
    /// with another exit code than 0; `timed_out`, after its whole tree was killed; `machine_died`.
    VMDSL_DECL command_result run(std::string_view command, source_location where = source_location::current());
    /// The same with a checked pattern: each `{}` takes an argument, quoted for the shell.
    template <class First, class... Rest>
    command_result run(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
                       const Rest&... rest) {
        return run(vmdsl::command<First, Rest...>(pattern, first, rest...), pattern.where());
    }

    /// As `run`, but any exit code is fine.
    VMDSL_DECL command_result execute(std::string_view command, source_location where = source_location::current());
    template <class First, class... Rest>
    command_result execute(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
                           const Rest&... rest) {
        return execute(vmdsl::command<First, Rest...>(pattern, first, rest...), pattern.where());
    }

    /// Starts a shell command and returns at once.
    VMDSL_DECL job spawn(std::string_view command, source_location where = source_location::current());
    template <class First, class... Rest>
    job spawn(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
              const Rest&... rest) {
        return spawn(vmdsl::command<First, Rest...>(pattern, first, rest...), pattern.where());
    }

    /// Waits until a systemd unit is active. Throws at once where it has failed or does not exist, or where the boot is
    /// over and nothing is going to start it; `timed_out` with the unit's last state.
    VMDSL_DECL guest& wait_for_unit(std::string_view unit, source_location where = source_location::current());
    /// Waits until something accepts TCP connections on localhost's port of the guest.
    VMDSL_DECL guest& wait_for_open_port(std::uint16_t port, source_location where = source_location::current());
    /// Waits until nothing accepts TCP connections there.
    VMDSL_DECL guest& wait_for_closed_port(std::uint16_t port, source_location where = source_location::current());
    /// Waits until the path exists.
    VMDSL_DECL guest& wait_for_file(std::string_view path, source_location where = source_location::current());

    /// Repeats a command until it ends with exit code 0, and returns that result. An attempt that hangs is killed when
    /// the limit passes. Throws `timed_out` with the last attempt's output.
    VMDSL_DECL command_result wait_until_succeeds(std::string_view command,
                                                  source_location where = source_location::current());
    VMDSL_DECL command_result wait_until_succeeds(std::string_view command, std::chrono::nanoseconds limit,
                                                  source_location where = source_location::current());
    /// Repeats a command until it ends with another exit code than 0.
    VMDSL_DECL command_result wait_until_fails(std::string_view command,
                                               source_location where = source_location::current());
    VMDSL_DECL command_result wait_until_fails(std::string_view command, std::chrono::nanoseconds limit,
                                               source_location where = source_location::current());

    /// Writes a file, replacing what was there. Relative paths begin in /root, `mode` is its permission bits (default
    /// 0644). Throws `guest_error` (no such folder, no space), `timed_out`, `machine_died`.
    VMDSL_DECL guest& write_file(std::string_view path, std::string_view content, unsigned mode = 0644,
                                 source_location where = source_location::current());
    /// A file's whole content, at most 256 MiB. Throws as `write_file`.
    [[nodiscard]] VMDSL_DECL std::string read_file(std::string_view path,
                                                   source_location where = source_location::current());
    /// Whether the path exists.
    [[nodiscard]] VMDSL_DECL bool file_exists(std::string_view path,
                                              source_location where = source_location::current());

    /// Switches the machine on and waits until its guest is set up. Throws `could_not_run`, `timed_out`,
    /// `machine_died`; the machine is off then. Throws `usage_error` where it is on already.
    VMDSL_DECL guest& start(source_location where = source_location::current());
    /// Switches it off in order, and waits for that. Throws `timed_out`, and leaves the machine as it is then;
    /// `machine_died` where the kernel panics or QEMU crashes meanwhile.
    VMDSL_DECL guest& shutdown(source_location where = source_location::current());
    /// Takes its power away: what was not synced to disk may be lost. The machine is off afterwards.
    VMDSL_DECL guest& crash(source_location where = source_location::current());
    /// Restarts it in order and waits until its guest is set up again. Throws as `shutdown`.
    VMDSL_DECL guest& reboot(source_location where = source_location::current());

    /// Whether it is switched on and alive. Once this has answered false for a machine that died, the death no longer
    /// fails the case.
    [[nodiscard]] VMDSL_DECL bool running() const;

    /// The port of the host's 127.0.0.1 that leads to a TCP port of the guest. A free one is taken at the first call,
    /// whatever the topology declares (that is for a person at the keyboard), so that tests never meet. It stays the
    /// same as long as the network, whether the machine is on or off. The service sees the connection come from its own
    /// localhost. Throws `could_not_run` where a declared port is taken.
    [[nodiscard]] VMDSL_DECL std::uint16_t forwarded(std::uint16_t guest_port);

    /// The last lines that the guest wrote to its console.
    [[nodiscard]] VMDSL_DECL std::string console_tail(std::size_t lines = 40) const;

private:
    VMDSL_DECL command_result repeat_until(std::string_view command, bool success, std::chrono::nanoseconds limit,
                                           const source_location& where);

    detail::network_core* network_;
    std::size_t index_;
    std::chrono::nanoseconds limit_ = std::chrono::minutes(5);
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/guest.ipp>
#endif
