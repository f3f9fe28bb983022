// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/guest/agent_client.hpp>
#include <vmdsl/guest/command.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl::detail {

/// Takes what a machine's instrumented programs count out of it, into the run's output folder: a shard at a time, which
/// belongs to the case that runs. Nothing is done where the image has no such programs. What can't be had becomes a
/// warning, and a problem of the shard.
class machine_coverage {
public:
    machine_coverage(std::string machine, std::vector<instrumented_build> builds)
        : machine_(std::move(machine)), builds_(std::move(builds)) {}

    /// What the collector printed, also where it failed, and then why.
    struct printed {
        std::string out;
        std::string problem;
    };
    /// How it is run in the guest; throws as verbs do.
    using run_command = std::function<printed(const command_request& request, deadline until)>;

    ~machine_coverage() { stop(); }
    machine_coverage(const machine_coverage&) = delete;
    machine_coverage& operator=(const machine_coverage&) = delete;

    /// The guest answers: from now on there is something to collect, until `end`. The supervisor is told, which says
    /// what was lost where this process dies meanwhile.
    VMDSL_DECL void begin() noexcept;
    void end() noexcept { stop(); }

    /// Makes every instrumented process write its counters and set them to zero, and takes the files. Where the machine
    /// is not `alive` any more, what it had counted is lost, which is said once.
    VMDSL_DECL void collect(bool alive, const run_command& run);

    /// What was counted since the last collection can't be had any more, for this reason.
    VMDSL_DECL void lose(const std::string& reason);

private:
    /// Returns whether it had begun.
    VMDSL_DECL bool stop() noexcept;

    std::atomic<bool> counting_ = false;  // never without builds
    std::string machine_;
    std::vector<instrumented_build> builds_;
};

/// Runs the collector. Where it does not end, or the machine dies meanwhile, what it has printed until then is kept.
[[nodiscard]] VMDSL_DECL machine_coverage::printed run_collector(agent_client& guest, const command_request& request,
                                                                 deadline until);

/// While one lives, what is collected belongs to no case but to the checkpoint that cases start from.
class checkpoint_coverage {
public:
    VMDSL_DECL checkpoint_coverage() noexcept;
    VMDSL_DECL ~checkpoint_coverage();
    checkpoint_coverage(const checkpoint_coverage&) = delete;
    checkpoint_coverage& operator=(const checkpoint_coverage&) = delete;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/machine_coverage.ipp>
#endif
