// SPDX-License-Identifier: BSL-1.0
#pragma once

/// A machine of a running network and all its verbs: commands, waits, units, files, power, screen and keyboard, QEMU.

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
/// Every verb that waits has a limit: 5 minutes, what `within` says, or what is left of the case's own time
/// (`--case-timeout`), whichever is least. When it fails it says on which machine, what was asked and what came back.
/// Besides what stands at each verb, all of them throw
///
/// - `timed_out` after the limit. A command is killed first, for which a guest that does not answer gets 20 s more.
/// - `machine_died`, at once, where the kernel panics, QEMU ends, the agent is lost or the guest switches itself off.
/// - `usage_error` where the machine is off, or the verb is called on vmdsl's own I/O thread.
/// - `condition_failed` where a `polling_condition` that is watched on this thread does not hold.
///
/// Relative paths in the guest begin in `/root`. Verbs may be called by several threads, also those of one machine.
/// Valid as long as its network. The last parameter, `where`, is to be left out: see `source_location`.
class guest {
public:
    VMDSL_DECL guest(detail::network_core& network, std::size_t index);

    /// Its name in the network, which is its host name.
    [[nodiscard]] VMDSL_DECL const std::string& name() const noexcept;

    /// The same machine with another limit for the verbs called on it: `client.within(5s).run("...")`. The default is
    /// 5 minutes. Never throws.
    [[nodiscard]] VMDSL_DECL guest within(std::chrono::nanoseconds limit) const;

    /// Runs a shell command as root (`/bin/sh`, in `/root`) and returns what it did. Without further arguments the text
    /// is passed to the shell as it is, braces included. The command has ended when its own process has: a background
    /// child that it leaves goes on.
    ///
    ///     client.run("svn checkout {} wc", "http://webserver/repos/demo");
    ///     BOOST_TEST(client.run("hostname").out() == "client\n");
    ///
    /// Throws `command_failed` where it ends with another exit code than 0 or by a signal; `timed_out`, after its whole
    /// tree was killed, with what it had printed; `guest_error` where it can't be run or prints more than 256 MiB.
    VMDSL_DECL command_result run(std::string_view command, source_location where = source_location::current());
    /// The same with a checked pattern: each `{}` takes an argument, quoted for the shell, as `shell_format_string`
    /// says. A pattern that makes no sense does not compile. Throws `usage_error` as well, where an argument contains a
    /// NUL byte.
    template <class First, class... Rest>
    command_result run(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
                       const Rest&... rest) {
        return run(vmdsl::command<First, Rest...>(pattern, first, rest...), pattern.where());
    }

    /// As `run`, but any exit code is fine, and so is an end by a signal.
    ///
    ///     auto found = client.execute("test -e {}", "/etc/passwd");
    ///     BOOST_TEST(found.succeeded());
    ///
    VMDSL_DECL command_result execute(std::string_view command, source_location where = source_location::current());
    template <class First, class... Rest>
    command_result execute(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
                           const Rest&... rest) {
        return execute(vmdsl::command<First, Rest...>(pattern, first, rest...), pattern.where());
    }

    /// Starts a shell command as `run` would and returns when it has started, with a `job`, which has the limit of this
    /// guest. A job that nobody waits for ends with its machine.
    VMDSL_DECL job spawn(std::string_view command, source_location where = source_location::current());
    template <class First, class... Rest>
    job spawn(std::type_identity_t<shell_format_string<First, Rest...>> pattern, const First& first,
              const Rest&... rest) {
        return spawn(vmdsl::command<First, Rest...>(pattern, first, rest...), pattern.where());
    }

    /// Waits until a systemd unit is active: `wait_for_unit("apache2.service")`. Throws `guest_error` with the unit's
    /// status: at once where it has failed, is masked or has a bad setting, and as soon as the boot is over where there
    /// is none or nothing is going to start it. Throws `timed_out` with the unit's last state. As all verbs for units:
    /// it waits while systemd comes up, and throws `guest_error` at once where the machine has no systemd.
    VMDSL_DECL guest& wait_for_unit(std::string_view unit, source_location where = source_location::current());
    /// Has systemd start a unit and waits until it says that the unit has started. One that runs already has started.
    /// Throws `guest_error` with the unit's status and the last 20 lines of its journal where it fails or there is
    /// none.
    VMDSL_DECL guest& start_job(std::string_view unit, source_location where = source_location::current());
    /// Has systemd stop a unit and waits for that. One that does not run has been stopped. Throws as `start_job`.
    VMDSL_DECL guest& stop_job(std::string_view unit, source_location where = source_location::current());
    /// A unit's properties as they are now: `web.unit_info("apache2.service").main_pid()`. Of a unit that does not
    /// exist, `exists()` is false. Throws `guest_error` where systemd does not tell: what was named is no unit's name.
    [[nodiscard]] VMDSL_DECL unit_properties unit_info(std::string_view unit,
                                                       source_location where = source_location::current());

    /// Waits until something accepts TCP connections on a port of 127.0.0.1 inside the guest.
    VMDSL_DECL guest& wait_for_open_port(std::uint16_t port, source_location where = source_location::current());
    /// Waits until nothing accepts TCP connections on that port.
    VMDSL_DECL guest& wait_for_closed_port(std::uint16_t port, source_location where = source_location::current());
    /// Waits until there is something at the path, whatever it is.
    VMDSL_DECL guest& wait_for_file(std::string_view path, source_location where = source_location::current());

    /// Waits for text on the machine's console (its first serial port), in one line, and returns that line:
    /// `wait_for_console_text("login:")`, or `matching("usb [0-9]")` for a regular expression. Each wait looks at what
    /// came after the text that the last one found; the first one at everything since the machine was switched on or
    /// restored. So nothing is missed between two waits, and what a machine that died said last can be waited for. Of a
    /// console that prints much the last MiB is kept for waits; a line of more than 4096 bytes counts as several.
    VMDSL_DECL std::string wait_for_console_text(const text_pattern& pattern,
                                                 source_location where = source_location::current());
    /// The text on a virtual terminal of the guest (1 is `/dev/tty1`) as lines, without blanks at their ends and
    /// without empty lines at the end; what is not ASCII is a question mark. No `display` is needed for it. Throws
    /// `guest_error` where there is no such terminal.
    [[nodiscard]] VMDSL_DECL std::string tty_text(unsigned number, source_location where = source_location::current());
    /// Waits until a line on a virtual terminal has the text, and returns that line. Throws as `tty_text`; `timed_out`
    /// with the whole text.
    VMDSL_DECL std::string wait_for_tty_text(unsigned number, const text_pattern& pattern,
                                             source_location where = source_location::current());

    /// Repeats a command until it ends with exit code 0, and returns that result. Between two attempts there are 20 ms
    /// at first and half a second later. An attempt that hangs is killed when the limit passes. Throws `timed_out` with
    /// the last attempt's output; `guest_error` as `run`. `limit` takes the place of the guest's own.
    VMDSL_DECL command_result wait_until_succeeds(std::string_view command,
                                                  source_location where = source_location::current());
    VMDSL_DECL command_result wait_until_succeeds(std::string_view command, std::chrono::nanoseconds limit,
                                                  source_location where = source_location::current());
    /// Repeats a command likewise until it ends with another exit code than 0, or by a signal.
    VMDSL_DECL command_result wait_until_fails(std::string_view command,
                                               source_location where = source_location::current());
    VMDSL_DECL command_result wait_until_fails(std::string_view command, std::chrono::nanoseconds limit,
                                               source_location where = source_location::current());

    /// Writes a file, replacing what was there; its owner is root. `mode` is its permission bits, 0644 by default.
    /// Throws `guest_error` (no such folder, no space).
    VMDSL_DECL guest& write_file(std::string_view path, std::string_view content, unsigned mode = 0644,
                                 source_location where = source_location::current());
    /// A file's whole content. Throws `guest_error` where there is no such file, or where it has more than 256 MiB:
    /// `copy_to_host` takes larger ones.
    [[nodiscard]] VMDSL_DECL std::string read_file(std::string_view path,
                                                   source_location where = source_location::current());
    /// Whether there is something at the path, whatever it is. Throws `guest_error` where the guest can't tell.
    [[nodiscard]] VMDSL_DECL bool file_exists(std::string_view path,
                                              source_location where = source_location::current());

    /// Copies a file of the host, or a folder with everything in it, into the guest. `guest_path` is what the copy is
    /// called there, not the folder that it goes into; what is above it has to be there. Files are replaced, folders
    /// are added to. Permissions and symbolic links are kept; the owner is root; sockets, pipes and devices are left
    /// out, with a warning. A relative `host_path` begins in the current folder. Throws `usage_error` (no such file on
    /// the host), `guest_error` (no such folder, no space); what was copied until then stays.
    VMDSL_DECL guest& copy_from_host(const std::filesystem::path& host_path, std::string_view guest_path,
                                     source_location where = source_location::current());
    /// Copies a file or a folder of the guest to the host likewise and returns where it is there: a relative
    /// `host_path` begins in the run's results folder. The guest is not trusted: no name or link of its reaches
    /// anything outside of `host_path`, and a symbolic link that would lead out of it is left out, with a warning.
    /// Throws `guest_error` (no such file), `usage_error` where the host's folder can't be written, `could_not_run`
    /// where its disk is full; what was copied until then stays. In `prepare()` it may be at most 256 MiB, which are
    /// kept for each case.
    VMDSL_DECL std::filesystem::path copy_to_host(std::string_view guest_path, const std::filesystem::path& host_path,
                                                  source_location where = source_location::current());

    /// Switches the machine on and waits until its guest is set up: it has its name and addresses, and where its image
    /// has systemd, `basic.target` is reached. Throws `usage_error` where it is on already. Throws `could_not_run` (no
    /// QEMU, no memory), `timed_out`, `machine_died`; the machine is off then.
    VMDSL_DECL guest& start(source_location where = source_location::current());
    /// Switches it off in order, and waits for that. Throws `timed_out`, and leaves the machine as it is then.
    VMDSL_DECL guest& shutdown(source_location where = source_location::current());
    /// Takes its power away, also that of a machine that has died: what was not synced to disk may be lost. The machine
    /// is off afterwards.
    VMDSL_DECL guest& crash(source_location where = source_location::current());
    /// Restarts it in order and waits until its guest is set up again. Throws `timed_out`, and leaves the machine as it
    /// is then; `usage_error` where another thread is starting or restarting it.
    VMDSL_DECL guest& reboot(source_location where = source_location::current());

    /// Presses its reset button and waits until its guest is set up again. What was not synced to disk may be lost.
    /// Throws as `reboot`.
    VMDSL_DECL guest& reset(source_location where = source_location::current());
    /// Presses its power button and returns at once. What that does is the guest's to decide; mostly it switches itself
    /// off, which ends later verbs with `machine_died`.
    VMDSL_DECL guest& press_power_button(source_location where = source_location::current());
    /// Stops its processors until `resume()`: verbs that need the guest wait meanwhile, until their limit. A machine
    /// that is paused at the end of `prepare()` can't be saved.
    VMDSL_DECL guest& pause(source_location where = source_location::current());
    /// Lets its processors run again. Does nothing where they run.
    VMDSL_DECL guest& resume(source_location where = source_location::current());

    /// Presses keys together for 20 ms: `send_key("ctrl-alt-delete")`, `send_key("f2")`, `send_key("ret")`. The names
    /// are those of QEMU's QAPI type `QKeyCode`, and the usual other ones (`enter`, `escape`, `del`, ...). Throws
    /// `error` with QEMU's words where it does not know one, `usage_error` where there is no key between two hyphens.
    VMDSL_DECL guest& send_key(std::string_view keys, source_location where = source_location::current());
    /// Types a text as on a US keyboard, 40 ms a character; a line's end is the return key. Throws `usage_error`,
    /// before anything is typed, where there is no key for a character.
    VMDSL_DECL guest& send_chars(std::string_view text, source_location where = source_location::current());
    /// Takes a picture of the machine's screen (PNG) and returns where it is on the host: a relative path begins in the
    /// run's results folder, and what was there is replaced. Throws `usage_error` where the machine has no `display`,
    /// `error` where QEMU can't write it.
    VMDSL_DECL std::filesystem::path screenshot(const std::filesystem::path& host_path,
                                                source_location where = source_location::current());

    /// Executes a command of QEMU's machine protocol (QMP) and returns its answer:
    /// `qmp("query-status").text("/status")`, `qmp("set_link", R"({"name": "nic0", "up": false})")`. The commands are
    /// in QEMU's QMP reference. The arguments are a JSON object, empty by default. Throws `error` with QEMU's words
    /// where it refuses, `usage_error` where the arguments are no JSON object.
    VMDSL_DECL qmp_result qmp(std::string_view command, std::string_view arguments = "{}",
                              source_location where = source_location::current());
    /// Waits for an event of QEMU's and returns its data: `wait_for_qmp_event("RESET").flag("/guest")`. Events are
    /// kept, the last 1000, from when the machine was switched on or restored, until a wait takes them; what a machine
    /// that died had sent can be waited for, too.
    VMDSL_DECL qmp_result wait_for_qmp_event(std::string_view event,
                                             source_location where = source_location::current());

    /// Whether it is switched on and alive; answers at once. Once this has answered false for a machine that died, the
    /// death no longer fails the case.
    [[nodiscard]] VMDSL_DECL bool running() const;

    /// The port of the host's 127.0.0.1 that leads to a TCP port of the guest. A free one is taken at the first call,
    /// whatever the topology declares (that is for a person at the keyboard), so that tests never meet. It stays the
    /// same as long as the network, whether the machine is on or off; while it is off, connections are closed. The
    /// service sees the connection come from its own localhost. Where a person runs the network (`--interactive`,
    /// `--attended`) a port that the topology declares is taken as declared. Throws `could_not_run` where that is in
    /// use.
    [[nodiscard]] VMDSL_DECL std::uint16_t forwarded(std::uint16_t guest_port);

    /// The last lines that the guest wrote to its console, 40 by default and 400 at most; also those of a machine that
    /// is off or dead. The results folder has all that it wrote (64 MiB at most), in `console-NAME.log`.
    [[nodiscard]] VMDSL_DECL std::string console_tail(std::size_t lines = 40) const;

private:
    /// Performs a verb whose answer is a text.
    VMDSL_DECL std::string text_verb(std::string verb, std::string arguments,
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
