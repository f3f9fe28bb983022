// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <type_traits>

#include <vmdsl/core/command_pattern.hpp>
#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/source_location.hpp>
#include <vmdsl/core/text_pattern.hpp>
#include <vmdsl/guest/command.hpp>
#include <vmdsl/guest/unit_properties.hpp>
#include <vmdsl/job.hpp>
#include <vmdsl/qemu/qmp_result.hpp>

namespace vmdsl {

namespace detail {
class machine_runtime;
class network_core;
struct verb_answer;
}  // namespace detail

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
    /// 5 minutes. It is an object of its own, and what its waits return is that object: give it a name where it is to
    /// outlive the statement, `auto patient = client.within(10min);`.
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
    /// Has systemd start a unit and waits until it says that the unit has started. Throws `guest_error` with the unit's
    /// status where it fails or there is none, `timed_out`, `machine_died`. As all verbs for units: throws
    /// `guest_error` at once where the machine has no systemd.
    VMDSL_DECL guest& start_job(std::string_view unit, source_location where = source_location::current());
    /// Has systemd stop a unit and waits for that. Throws likewise. One that does not run has been stopped.
    VMDSL_DECL guest& stop_job(std::string_view unit, source_location where = source_location::current());
    /// A unit's properties: `web.unit_info("apache2.service").main_pid()`. Of a unit that does not exist,
    /// `exists()` is false. Throws likewise.
    [[nodiscard]] VMDSL_DECL unit_properties unit_info(std::string_view unit,
                                                       source_location where = source_location::current());

    /// Waits until something accepts TCP connections on localhost's port of the guest.
    VMDSL_DECL guest& wait_for_open_port(std::uint16_t port, source_location where = source_location::current());
    /// Waits until connections are refused there. What fails for another reason says nothing of the port.
    VMDSL_DECL guest& wait_for_closed_port(std::uint16_t port, source_location where = source_location::current());
    /// Waits until the path exists.
    VMDSL_DECL guest& wait_for_file(std::string_view path, source_location where = source_location::current());

    /// Waits for text on the machine's console (its first serial port), in one line, and returns that line:
    /// `wait_for_console_text("login:")`, or `matching("usb [0-9]")` for a regular expression. Each wait looks at what
    /// came after the text that the last one found; the first one at everything since the machine was switched on or
    /// restored. A line that does not end, such as a prompt, is returned as it is after 0.2 s. So nothing is missed
    /// between two waits, and what a machine that died said last can be waited for.
    VMDSL_DECL std::string wait_for_console_text(const text_pattern& pattern,
                                                 source_location where = source_location::current());
    /// The text on a virtual terminal (/dev/tty<number>) of the guest as lines; what is not ASCII is a question mark.
    /// No display is needed for it. Throws `guest_error` where there is no such terminal, `timed_out`, `machine_died`.
    [[nodiscard]] VMDSL_DECL std::string tty_text(unsigned number, source_location where = source_location::current());
    /// Waits until a line on a virtual terminal has the text, and returns that line. Throws likewise; `timed_out` with
    /// the whole text.
    VMDSL_DECL std::string wait_for_tty_text(unsigned number, const text_pattern& pattern,
                                             source_location where = source_location::current());

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

    /// Copies a file of the host, or a folder with everything in it, into the guest. `guest_path` is what the copy is
    /// called there, not the folder that it goes into; what is above it has to be there. Files are replaced, folders
    /// are added to. Permissions and symbolic links are kept; the owner is root; sockets, pipes and devices are left
    /// out, with a warning. Relative paths begin in the current folder, and in /root. Throws `usage_error` (no such
    /// file on the host), `guest_error`, `timed_out`, `machine_died`; what was copied until then stays.
    VMDSL_DECL guest& copy_from_host(const std::filesystem::path& host_path, std::string_view guest_path,
                                     source_location where = source_location::current());
    /// Copies a file or a folder of the guest to the host likewise and returns where it is there: a relative
    /// `host_path` begins in the run's results folder. The guest is not trusted: no name or link of its reaches
    /// anything outside of `host_path`, and a symbolic link that would lead out of it is left out, with a warning. A
    /// copy is as large as the guest makes it (a sparse file has all its zeros), as long as the limit and the host's
    /// disk allow. Throws as `copy_from_host`, and `could_not_run` where the host's disk is full.
    VMDSL_DECL std::filesystem::path copy_to_host(std::string_view guest_path, const std::filesystem::path& host_path,
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

    /// Presses its reset button and waits until its guest is set up again. What was not synced may be lost. Throws as
    /// `reboot`.
    VMDSL_DECL guest& reset(source_location where = source_location::current());
    /// Presses its power button and returns at once. What that does is the guest's to decide; mostly it switches itself
    /// off, which ends later verbs with `machine_died`.
    VMDSL_DECL guest& press_power_button(source_location where = source_location::current());
    /// Stops its processors until `resume()`: verbs that need the guest wait meanwhile.
    VMDSL_DECL guest& pause(source_location where = source_location::current());
    VMDSL_DECL guest& resume(source_location where = source_location::current());

    /// Presses keys together: `send_key("ctrl-alt-delete")`, `send_key("f2")`, `send_key("ret")`. The names are QEMU's
    /// (QKeyCode), and the usual other ones. Throws `error` where QEMU does not know one, `timed_out`, `machine_died`.
    VMDSL_DECL guest& send_key(std::string_view keys, source_location where = source_location::current());
    /// Types a text as on a US keyboard; a line's end is the return key. Throws `usage_error` where there is no key for
    /// a character.
    VMDSL_DECL guest& send_chars(std::string_view text, source_location where = source_location::current());
    /// Takes a picture of the machine's screen (PNG) and returns where it is on the host: a relative path begins in the
    /// run's results folder. Throws `usage_error` where the machine has no `display`, `error` where QEMU can't write
    /// it.
    VMDSL_DECL std::filesystem::path screenshot(const std::filesystem::path& host_path,
                                                source_location where = source_location::current());

    /// Executes a command of QEMU's machine protocol (QMP) and returns its answer:
    /// `qmp("query-status").text("/status")`, `qmp("set_link", R"({"name": "nic0", "up": false})")`. The arguments are
    /// a JSON object. Throws `error` with QEMU's words where it refuses, `usage_error`, `timed_out`, `machine_died`.
    VMDSL_DECL qmp_result qmp(std::string_view command, std::string_view arguments = "{}",
                              source_location where = source_location::current());
    /// Waits for an event of QEMU's and returns its data: `wait_for_qmp_event("RESET").flag("/guest")`. Events are
    /// kept, the last 1000, from when the machine was switched on or restored, until a wait takes them.
    VMDSL_DECL qmp_result wait_for_qmp_event(std::string_view event,
                                             source_location where = source_location::current());

    /// Whether it is switched on and alive. Once this has answered false for a machine that died, the death no longer
    /// fails the case.
    [[nodiscard]] VMDSL_DECL bool running() const;

    /// The port of the host's 127.0.0.1 that leads to a TCP port of the guest. A free one is taken at the first call,
    /// whatever the topology declares (that is for a person at the keyboard), so that tests never meet. It stays the
    /// same as long as the network, whether the machine is on or off: each case has another one than `prepare()` had.
    /// The service sees the connection come from its own localhost. Throws `could_not_run` where a declared port is
    /// taken.
    [[nodiscard]] VMDSL_DECL std::uint16_t forwarded(std::uint16_t guest_port,
                                                     source_location where = source_location::current());

    /// The last lines that the guest wrote to its console.
    [[nodiscard]] VMDSL_DECL std::string console_tail(std::size_t lines = 40) const;

private:
    /// Performs a verb whose answer is a text.
    VMDSL_DECL std::string text_verb(const source_location& where, std::string verb, std::string arguments,
                                     const std::function<std::string(detail::machine_runtime&)>& work);
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
