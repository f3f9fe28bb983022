// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/detail/console_writer.hpp>
#include <vmdsl/detail/machine_coverage.hpp>
#include <vmdsl/detail/machine_signs.hpp>
#include <vmdsl/detail/transcript.hpp>
#include <vmdsl/guest/agent_client.hpp>
#include <vmdsl/guest/command.hpp>
#include <vmdsl/guest/console_log.hpp>
#include <vmdsl/guest/saved_streams.hpp>
#include <vmdsl/net/fabric.hpp>
#include <vmdsl/net/forward.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/qemu/image.hpp>
#include <vmdsl/qemu/machine_process.hpp>

namespace vmdsl::detail {

/// What a checkpoint keeps of one machine. Read-only once it is made: any number of clones start from it.
struct machine_snapshot {
    bool running = false;          ///< Switched on when it was made.
    std::uint32_t boots = 0;       ///< How often it had been switched on.
    unique_fd memory;              ///< The RAM; clones map it copy-on-write.
    unique_fd devices;             ///< The state of everything else.
    std::vector<qemu_disk> disks;  ///< Clones put an overlay of their own over each writable one.
    saved_streams streams;         ///< What the host has of the commands that were started.
    std::string console_tail;      ///< So that an early failure of a clone still shows how the machine came up.
};

/// How long a command that did not end in time gets to be killed in, on top of its deadline.
inline constexpr std::chrono::seconds kill_grace{20};

/// One machine of a running network, without types: processes, disks, agent, console. Its calls block and may be made
/// by several threads; what the guest does meanwhile arrives on the I/O thread.
///
/// Off or dead: a machine that was switched off (by its guest too) can be saved and started again, and that is all. One
/// whose kernel panicked, whose QEMU ended in any other way or whose agent is lost has died: that ends every call.
class machine_runtime {
public:
    /// A machine that is switched off. `folder` (which exists) takes its disks. Throws `could_not_run`: no image.
    VMDSL_DECL machine_runtime(const network_plan& plan, std::size_t index, fabric& network,
                               std::filesystem::path folder, const machine_snapshot* origin);
    VMDSL_DECL ~machine_runtime();
    machine_runtime(const machine_runtime&) = delete;
    machine_runtime& operator=(const machine_runtime&) = delete;

    [[nodiscard]] const machine_plan& plan() const noexcept { return plan_; }
    [[nodiscard]] const std::string& name() const noexcept { return plan_.name; }

    /// Switches it on and waits until the guest is set up, and, where the image has one, until its ready unit is
    /// active. Throws `usage_error` where it is on already, `could_not_run`, `timed_out`, `machine_died`; it is off
    /// then.
    VMDSL_DECL void boot(deadline until);
    /// Tells the guest, at once where it is on, what all machines of the network are called. Throws `timed_out`,
    /// `machine_died`.
    VMDSL_DECL void set_hosts(const std::string& hosts, deadline until);
    /// Restarts the guest and waits for it, so long at most and within the case's time; collecting coverage before is
    /// no part of that. Throws `timed_out`, and leaves it as it is then; `machine_died`; `usage_error` where it is off,
    /// or another thread is starting or restarting it.
    VMDSL_DECL void reboot(std::chrono::nanoseconds limit);
    /// Switches the guest off in order and waits until QEMU has ended. Throws likewise.
    VMDSL_DECL void shutdown(std::chrono::nanoseconds limit);
    /// Presses the reset button and waits until the guest is set up again. Throws likewise.
    VMDSL_DECL void reset(deadline until);
    /// A power failure. Throws `usage_error` where it is off.
    VMDSL_DECL void crash();

    /// First half of a restore: a QEMU that holds the snapshot's state and is paused.
    VMDSL_DECL void load(const machine_snapshot& snapshot, deadline until);
    /// Second half: lets it run and waits for its agent.
    VMDSL_DECL void wake(deadline until);

    /// First step of a save: makes its agent fall silent.
    VMDSL_DECL void quiesce(deadline until);
    /// Last step, when all machines are paused.
    [[nodiscard]] VMDSL_DECL machine_snapshot save(deadline until);

    /// Takes over what the instrumented programs of its image have counted since the last time. Does nothing where it
    /// has none, or is off.
    VMDSL_DECL void collect_coverage();

    /// Whether it is switched on and alive.
    [[nodiscard]] VMDSL_DECL bool running() const;
    /// Whether it is switched on; throws `machine_died` where it is dead.
    [[nodiscard]] VMDSL_DECL bool switched_on() const;

    /// The spec got to know that it died.
    VMDSL_DECL void note_seen_death();
    /// How it died, where nobody asked for that and nobody has seen it yet. Says it once.
    [[nodiscard]] VMDSL_DECL std::optional<error_details> take_unseen_death();

    /// The agent; throws `machine_died` where the machine is gone, `usage_error` where it is switched off.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_client> agent() const;
    /// How often it was switched on, also before its checkpoint was saved.
    [[nodiscard]] VMDSL_DECL std::uint32_t boots() const;
    /// Takes part in a command that was started before the checkpoint was saved. Throws `machine_died` where the
    /// machine is gone, or was switched off since.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> attach(const job_stream& job) const;

    /// Executes a QMP command. Throws as `machine_process::qmp`, `usage_error` where the machine is switched off, and
    /// where QEMU ends meanwhile `machine_died` with how it did.
    VMDSL_DECL std::string qmp(std::string_view command, std::string_view arguments, deadline until);
    /// What it shows unasked.
    [[nodiscard]] machine_signs& signs() noexcept { return signs_; }

    /// Waits for the end of what has no output: a file, a copy. Throws `timed_out`; `machine_died`, also where the
    /// guest was restarted before that.
    [[nodiscard]] VMDSL_DECL stream_end await_end(agent_stream& stream, const std::string& what, deadline until) const;

    /// Runs a command to its end. A deadline that passes kills its whole tree, waits for that (`kill_grace`) and throws
    /// `timed_out` with what it had printed and what became of it.
    [[nodiscard]] VMDSL_DECL command_result execute(const command_request& request, deadline until);
    /// Waits for a running command. As `execute`.
    [[nodiscard]] VMDSL_DECL command_result finish(agent_stream& stream, const std::string& text, deadline until);

    /// Waits `pause` between two attempts of a wait; throws at once where the machine dies meanwhile. False where the
    /// deadline passed.
    [[nodiscard]] VMDSL_DECL bool pause_between_attempts(std::chrono::milliseconds pause, deadline until);

    /// The host's port that leads to a port of the guest, opened at the first call and kept as long as the machine,
    /// whether it is on or off. Throws `could_not_run` where a declared port is taken.
    [[nodiscard]] VMDSL_DECL std::uint16_t forwarded(std::uint16_t guest_port);

    [[nodiscard]] VMDSL_DECL std::string console_tail(std::size_t lines = 40) const;
    /// For a report: the tail, and where its kernel panicked all from there on (which may take it a moment to say).
    [[nodiscard]] VMDSL_DECL std::string last_words();
    [[nodiscard]] const std::filesystem::path& console_file() const noexcept { return console_writer_.path(); }

    /// Details for an error: this machine, and the console's tail.
    [[nodiscard]] VMDSL_DECL error_details details(std::string what_failed) const;

private:
    [[nodiscard]] VMDSL_DECL std::shared_ptr<machine_process> process() const;
    VMDSL_DECL void make_disks(const machine_snapshot* origin);
    /// What a new QEMU starts with: an empty machine whose memory may be saved, or one whose devices' state is loaded
    /// next and that keeps its own changes of the memory to itself.
    enum class beginning { empty, saved_state };

    VMDSL_DECL void launch(const unique_fd& memory, beginning with, deadline until);
    VMDSL_DECL void name_console(std::string_view how_it_starts);
    VMDSL_DECL void take_console(std::string_view bytes);
    VMDSL_DECL void take_event(std::string_view event, std::string_view data);
    VMDSL_DECL void take_exit(const child_exit& exit);
    VMDSL_DECL void die(std::unique_lock<std::mutex> lock, std::string what_failed, std::string console);
    VMDSL_DECL void await_boot(const std::string& problem_if_late, deadline until);
    [[nodiscard]] VMDSL_DECL std::unique_lock<std::mutex> lock_start();
    VMDSL_DECL void await_ready_unit(deadline until);
    VMDSL_DECL void bind_declared_ports();
    VMDSL_DECL void release();
    VMDSL_DECL void check_restart(const stream_end& end, const std::string& what) const;

    /// What the end of QEMU means.
    enum class ending { death, switched_off, power_failure };

    machine_plan plan_;
    std::size_t position_;
    image_description image_;
    fabric& network_;
    std::filesystem::path folder_;
    console_writer console_writer_;
    machine_coverage coverage_;
    guest_settings settings_;
    std::vector<qemu_disk> disks_;
    std::vector<std::string> macs_;
    machine_signs signs_;

    std::mutex starting_;        // held while it boots, also again
    std::mutex forwards_mutex_;  // never taken on the I/O thread, which opens the ports
    std::map<std::uint16_t, std::unique_ptr<port_forward>> forwards_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    unique_fd memory_;
    std::shared_ptr<machine_process> process_;
    std::shared_ptr<agent_client> agent_;
    std::uint32_t boots_ = 0;
    console_log console_;
    ending expected_ = ending::death;
    bool silent_ = false;                        // QEMU has ended, or stopped the guest that panicked
    bool switched_off_ = false;                  // by the guest, in order: QEMU has ended
    std::optional<error_details> death_;         // what ends every call; also where the guest switched itself off
    std::optional<error_details> unseen_death_;  // outlives its machine's next start
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/machine_runtime.ipp>
#endif
