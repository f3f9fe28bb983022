// SPDX-License-Identifier: BSL-1.0
#pragma once

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
#include <vmdsl/core/source_location.hpp>
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
    unique_fd memory;              ///< The RAM; clones map it copy-on-write.
    unique_fd devices;             ///< The state of everything else.
    std::vector<qemu_disk> disks;  ///< Clones put an overlay of their own over each writable one.
    saved_streams streams;         ///< What the host has of the commands that were started.
    std::string console_tail;      ///< So that an early failure of a clone still shows how the machine came up.
};

/// One machine of a running network, without types: processes, disks, agent, console. Its calls block, and are made by
/// the test's thread (several machines' by several threads); what the guest does meanwhile arrives on the I/O thread.
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
    /// active.
    VMDSL_DECL void boot(deadline until);
    /// Waits for a guest that is booting: the second half of `boot` and `reboot`.
    VMDSL_DECL void await_boot(deadline until);
    /// Restarts the guest and waits for it. Throws as `boot`.
    VMDSL_DECL void reboot(deadline until);
    /// Switches the guest off in order and waits until QEMU has ended.
    VMDSL_DECL void shutdown(deadline until);
    /// A power failure.
    VMDSL_DECL void crash();

    /// First half of a restore: a QEMU that holds the snapshot's state and is paused.
    VMDSL_DECL void load(const machine_snapshot& snapshot, deadline until);
    /// Second half: lets it run and waits for its agent. `streams` are taken part in again.
    VMDSL_DECL void wake(const std::vector<std::uint32_t>& streams, deadline until);

    /// The three steps of a save, each done on all machines before the next.
    VMDSL_DECL void quiesce(deadline until);
    VMDSL_DECL void pause(deadline until);
    [[nodiscard]] VMDSL_DECL machine_snapshot save(deadline until);

    [[nodiscard]] VMDSL_DECL bool running() const;
    /// The agent; throws `machine_died` where the machine is gone, `usage_error` where it is switched off.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_client> agent() const;

    /// Runs a command to its end. A deadline that passes kills its whole tree and throws `timed_out` with what it had
    /// printed.
    [[nodiscard]] VMDSL_DECL command_result execute(const command_request& request, deadline until,
                                                    const source_location& where);
    /// Waits for a running command. As `execute`.
    [[nodiscard]] VMDSL_DECL command_result finish(agent_stream& stream, const std::string& text, deadline until,
                                                   const source_location& where);

    /// Waits `pause` between two attempts of a wait; throws at once where the machine dies meanwhile. False where the
    /// deadline passed.
    [[nodiscard]] VMDSL_DECL bool pause_between_attempts(std::chrono::milliseconds pause, deadline until);

    /// The host's port that leads to a port of the guest, opened at the first call.
    [[nodiscard]] VMDSL_DECL std::uint16_t forwarded(std::uint16_t guest_port);

    [[nodiscard]] VMDSL_DECL std::string console_tail(std::size_t lines = 40) const;
    [[nodiscard]] const std::filesystem::path& console_file() const noexcept { return console_file_; }

    /// Details for an error: this machine, where, and the console's tail.
    [[nodiscard]] VMDSL_DECL error_details details(std::string what_failed, const source_location& where) const;

private:
    VMDSL_DECL void make_disks(const machine_snapshot* origin);
    VMDSL_DECL void launch(const unique_fd& memory, bool shared, bool incoming, deadline until);
    VMDSL_DECL void take_console(std::string_view bytes);
    VMDSL_DECL void take_event(std::string_view event);
    VMDSL_DECL void take_exit(const child_exit& exit);
    VMDSL_DECL void die(std::string what_failed, std::string console);
    VMDSL_DECL void await_ready_unit(deadline until);
    VMDSL_DECL void release();

    machine_plan plan_;
    image_description image_;
    fabric& network_;
    std::filesystem::path folder_;
    std::filesystem::path console_file_;
    guest_settings settings_;
    std::vector<qemu_disk> disks_;
    std::vector<std::string> macs_;

    unique_fd memory_;
    std::unique_ptr<machine_process> process_;
    std::map<std::uint16_t, std::unique_ptr<port_forward>> forwards_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<agent_client> agent_;
    console_log console_;
    unique_fd console_fd_;
    std::optional<error_details> death_;
    bool end_expected_ = false;
    bool agent_expected_to_end_ = false;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/machine_runtime.ipp>
#endif
