// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/detail/transcript.hpp>
#include <vmdsl/net/fabric.hpp>

namespace vmdsl::detail {

/// A folder below the run's scratch folder that is removed with everything in it.
class owned_folder {
public:
    VMDSL_DECL explicit owned_folder(std::string_view name);
    VMDSL_DECL ~owned_folder();
    owned_folder(const owned_folder&) = delete;
    owned_folder& operator=(const owned_folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// A whole network's saved state: machines, disks, cut links, and what its body asked and heard.
struct network_snapshot {
    network_plan plan;
    std::shared_ptr<owned_folder> folder;  ///< Holds the disks.
    std::vector<machine_snapshot> machines;
    fabric_state links;
    std::shared_ptr<const transcript::recording> body;
};

/// A network of machines, without types. All of them together start, are saved, are restored and end.
class network_runtime {
public:
    /// A network whose machines are switched off. Registered, so that it ends with the worker whatever the case's
    /// stack does. Throws `could_not_run`.
    [[nodiscard]] static VMDSL_DECL std::shared_ptr<network_runtime> create(network_plan plan);
    /// A network that is being brought back to a saved state. The machines start in the background while the caller
    /// replays the body; `await_restored` waits for them.
    [[nodiscard]] static VMDSL_DECL std::shared_ptr<network_runtime> restore(
        const std::shared_ptr<const network_snapshot>& snapshot);

    VMDSL_DECL ~network_runtime();
    network_runtime(const network_runtime&) = delete;
    network_runtime& operator=(const network_runtime&) = delete;

    [[nodiscard]] machine_runtime& machine(std::size_t index) { return *machines_.at(index); }
    [[nodiscard]] fabric& links() noexcept { return *fabric_; }
    [[nodiscard]] transcript& body() noexcept { return body_; }

    /// Adds a machine, switched off, and tells the others of it. Throws `usage_error` where its name is taken or is
    /// none, `could_not_run`, `timed_out`, `machine_died`. No other thread may use the network meanwhile.
    VMDSL_DECL void add_machine(const machine_plan& added, deadline until);

    /// Switches all machines on, in parallel, and waits for them. Throws as `for_all`.
    VMDSL_DECL void boot_all(deadline until);

    /// Saves everything and ends this network: quiesce all, pause the switches, pause all, drain, save all. Throws
    /// `machine_died` where a machine is not off but dead, `timed_out` after the limit, which counts from when coverage
    /// was collected.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<network_snapshot> freeze(std::chrono::nanoseconds limit);

    /// Waits for the machines of `restore`, and goes live. Throws what went wrong.
    VMDSL_DECL void await_restored(deadline until);

    /// The spec got to know of this machine's death.
    VMDSL_DECL void note_seen_death(std::string_view machine);

    /// The deaths that nobody asked for and that no verb has told of, once each.
    [[nodiscard]] VMDSL_DECL std::vector<error_details> take_unseen_deaths();

    /// Takes over what all machines' instrumented programs have counted since the last time.
    VMDSL_DECL void collect_coverage();

    /// Ends all machines now. Idempotent; done by the destructor too.
    VMDSL_DECL void end();

    /// Runs `work` for each machine on a thread of its own and waits for all. Throws the first machine's problem; the
    /// others' stand in it too.
    VMDSL_DECL void for_all(const std::function<void(machine_runtime&)>& work);

private:
    explicit VMDSL_DECL network_runtime(network_plan plan, std::shared_ptr<const network_snapshot> origin);

    [[nodiscard]] VMDSL_DECL std::size_t index_of(const machine_runtime& machine) const;
    VMDSL_DECL void throw_first(const std::vector<std::exception_ptr>& problems) const;

    network_plan plan_;
    std::shared_ptr<const network_snapshot> origin_;  // its disks are under ours
    std::shared_ptr<owned_folder> folder_;
    std::unique_ptr<fabric> fabric_;
    std::vector<std::unique_ptr<machine_runtime>> machines_;
    transcript body_;
    struct background;
    std::unique_ptr<background> background_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/network_runtime.ipp>
#endif
