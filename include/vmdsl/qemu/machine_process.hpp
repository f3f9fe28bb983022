// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/process/child.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/qemu/command_line.hpp>

namespace vmdsl {

/// What happens to a machine while nobody asks. All of it is called on the I/O thread and must not block.
struct machine_handlers {
    std::function<void(std::string_view bytes)> console;  ///< The guest wrote to its console.
    /// An event of QEMU's, for example "RESET", "GUEST_PANICKED", "SHUTDOWN", and its data as JSON text.
    std::function<void(std::string_view event, std::string_view data)> qmp_event;
    std::function<void(bool open)> agent_port;  ///< The guest opened or closed the agent's port.
    /// QEMU is gone, after the constructor has returned. The last call.
    std::function<void(const child_exit&)> exited;
};

/// One running QEMU: its process, its control connection, its console. Every socket is a pair of which QEMU inherits
/// one end: there is no path and no port. Once it is destroyed, or its constructor has thrown, no handler is called any
/// more, and none is still running.
class machine_process {
public:
    /// Starts QEMU with this configuration; its four descriptors and `memory_path` are filled in here. `memory` is the
    /// guest's RAM, `nic_sockets` in the order of `configuration.nics`. Returns when QEMU answers on its control
    /// connection. Throws `could_not_run` where QEMU refuses to start (with its words), `timed_out`.
    VMDSL_DECL machine_process(qemu_configuration configuration, const unique_fd& memory,
                               std::vector<unique_fd> nic_sockets, machine_handlers handlers, deadline until);
    /// Kills QEMU if it still runs, and waits for its end.
    VMDSL_DECL ~machine_process();
    machine_process(const machine_process&) = delete;
    machine_process& operator=(const machine_process&) = delete;

    /// The host's end of the agent port. Can be taken once.
    [[nodiscard]] unique_fd take_agent_socket() noexcept { return std::move(agent_socket_); }

    [[nodiscard]] pid_t pid() const noexcept { return child_->pid(); }

    /// Executes a QMP command whose arguments are JSON text; returns what it returns, as JSON text. Throws
    /// `usage_error` where the arguments are no JSON object, else as `qmp_client::execute`.
    [[nodiscard]] VMDSL_DECL std::string qmp(std::string_view command, std::string_view arguments, deadline until);

    /// Lets all virtual processors run (on). Throws as `qmp_client::execute`.
    VMDSL_DECL void resume(deadline until);

    /// Writes the devices' state, without the RAM, to a file. The machine must be paused and cannot run afterwards:
    /// its disks are no longer its own. Throws `error`, `timed_out`, `machine_died`.
    VMDSL_DECL void save_devices(const unique_fd& file, deadline until);
    /// Reads such a state into a QEMU that was started with `incoming`. The machine stays paused. Throws likewise.
    VMDSL_DECL void load_devices(const unique_fd& file, deadline until);

    /// Ends QEMU at once, as a power failure would. Returns how it ended.
    VMDSL_DECL child_exit kill();

private:
    struct parts;

    /// With this done the destructor cleans up whatever the other one started before it threw.
    VMDSL_DECL machine_process();

    VMDSL_DECL void await_migration(std::string_view what, deadline until);

    std::shared_ptr<child> child_;
    std::shared_ptr<parts> parts_;  // the exit handler holds it too
    unique_fd agent_socket_;
    unique_fd bulk_socket_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/machine_process.ipp>
#endif
