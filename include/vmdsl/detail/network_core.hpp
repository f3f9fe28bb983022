// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <typeindex>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/core/source_location.hpp>

namespace vmdsl::detail {

class network_runtime;
struct network_snapshot;
class machine_runtime;
struct verb_answer;
struct verb_call;

/// What is behind `network<...>`, without its types: the description and the machines that run it just now. The author
/// layer's headers include this and nothing heavier. Thread-safe but for `record` and `restore`.
class network_core {
public:
    VMDSL_DECL explicit network_core(network_plan plan);
    VMDSL_DECL ~network_core();
    network_core(const network_core&) = delete;
    network_core& operator=(const network_core&) = delete;

    [[nodiscard]] const network_plan& plan() const noexcept { return plan_; }

    /// The machines; made, switched off, at the first call.
    [[nodiscard]] VMDSL_DECL network_runtime& runtime();
    [[nodiscard]] VMDSL_DECL machine_runtime& machine(std::size_t index);

    /// Adds a machine, switched off, and returns its number. Throws as `network_runtime::add_machine`.
    VMDSL_DECL std::size_t add_machine(machine_plan added, const source_location& where);
    VMDSL_DECL void start(std::chrono::nanoseconds limit, source_location where);
    VMDSL_DECL void cut(std::string_view machine, std::string_view segment);
    VMDSL_DECL void heal(std::string_view machine, std::string_view segment);

    /// A machine's segment of this name, or its first where that is empty. Throws `usage_error` where it is on none.
    [[nodiscard]] VMDSL_DECL std::string segment_of(std::string_view machine, std::string_view segment) const;

    /// Every verb goes through here: recorded, replayed or live. What is done live has an event that says how long it
    /// took and how it ended, or what failed. What it throws, whoever threw it, names the machine, the place of the
    /// call and the command, and has the end of the console.
    VMDSL_DECL verb_answer perform(const verb_call& call, const std::function<verb_answer()>& live);
    /// The same without an event, for what has an event of its own.
    VMDSL_DECL verb_answer perform_quietly(const verb_call& call, const std::function<verb_answer()>& live);
    /// The same, never recorded: for what is different in each copy of the machines.
    VMDSL_DECL verb_answer perform_unrecorded(const verb_call& call, const std::function<verb_answer()>& live);
    /// As `perform_quietly`, for what a spec asks again and again without anything being done for it (whether a job
    /// still runs).
    VMDSL_DECL verb_answer ask(verb_call call, const std::function<verb_answer()>& live);

    /// Where a person asked for the network: runs `body` on live machines, and keeps them for that person. Never
    /// returns.
    [[noreturn]] VMDSL_DECL void hold(const std::function<void()>& body);
    /// At the end of every `start` of a spec: keeps the network likewise, where a person asked for one and a case
    /// without a checkpoint has now started its first machines.
    VMDSL_DECL void hold_as_started();

    /// Runs `body` on live machines, saves what it leaves, and ends them.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<const network_snapshot> record(const std::function<void()>& body);
    /// Restores a copy of the machines and replays `body` meanwhile. Throws `transcript_mismatch` where the body asks
    /// for something else than it did when it was recorded.
    VMDSL_DECL void restore(const std::shared_ptr<const network_snapshot>& snapshot, const std::function<void()>& body);

private:
    [[nodiscard]] VMDSL_DECL error_details completed(error_details details, const verb_call& call);

    network_plan plan_;
    std::mutex mutex_;  // while `runtime_` is made, and of `held_`
    std::shared_ptr<network_runtime> runtime_;
    bool held_ = false;  // for a person, or it will be when the checkpoint's body has run
};

/// Reaches what is behind a `network<...>`, for the fixtures.
struct network_access {
    template <class Network>
    [[nodiscard]] static network_core& core(Network& net) noexcept {
        return net.core_;
    }
};

/// What `restored<Ready>` does, without its type: makes the checkpoint of `fixture` with `record` at first use, then
/// brings `core` to it while `body` is replayed. A body that turns out to ask for something else each time is recorded
/// once more, and refused (`usage_error`) when it differs again. Where the checkpoint could not be made, every later
/// case fails at once with the first failure's words.
VMDSL_DECL void restore_fixture(std::type_index fixture, network_core& core,
                                const std::function<std::shared_ptr<const network_snapshot>()>& record,
                                const std::function<void()>& body);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/network_core.ipp>
#endif
