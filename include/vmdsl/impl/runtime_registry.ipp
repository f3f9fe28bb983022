// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/detail/runtime_registry.hpp>
#include <vmdsl/report/boost_test.hpp>

namespace vmdsl::detail {

VMDSL_DECL runtime_registry& runtime_registry::instance() {
    // Never destroyed: networks may end during static destruction. The worker's end hook is what ends them in time.
    static auto* registry = new runtime_registry;
    return *registry;
}

VMDSL_DECL runtime_registry::runtime_registry() {
    on_case_end([this](bool passed) { end_case(passed); });
    on_worker_end([this] { end_worker(); });
}

VMDSL_DECL void runtime_registry::add(const std::shared_ptr<network_runtime>& network) {
    const std::lock_guard lock(mutex_);
    std::erase_if(networks_, [](const auto& weak) { return weak.expired(); });
    networks_.push_back(network);
}

VMDSL_DECL void runtime_registry::keep_remains(std::string machine, std::string console, std::string console_file) {
    if (running_case().empty()) {
        return;  // else they would be shown as the next case's
    }
    const std::lock_guard lock(mutex_);
    remains_.push_back({std::move(machine), std::move(console), std::move(console_file)});
}

VMDSL_DECL void runtime_registry::keep_unseen_death(error_details death) {
    const std::lock_guard lock(mutex_);
    unseen_deaths_.push_back(std::move(death));
}

VMDSL_DECL std::vector<error_details> runtime_registry::take_unseen_deaths() {
    std::vector<error_details> deaths;
    std::vector<std::weak_ptr<network_runtime>> networks;
    {
        const std::lock_guard lock(mutex_);
        deaths.swap(unseen_deaths_);
        networks = networks_;
    }
    for (const auto& weak : networks) {
        if (const auto network = weak.lock()) {
            for (auto& death : network->take_unseen_deaths()) {
                deaths.push_back(std::move(death));
            }
        }
    }
    return deaths;
}

VMDSL_DECL std::shared_ptr<const network_snapshot> runtime_registry::checkpoint(std::type_index fixture) const {
    const std::lock_guard lock(mutex_);
    if (const auto failure = failures_.find(fixture); failure != failures_.end()) {
        try {
            std::rethrow_exception(failure->second);
        } catch (const could_not_run&) {
            throw;
        } catch (const std::exception& problem) {
            throw error(std::string("the checkpoint of this case could not be made; an earlier case said why: ") +
                        problem.what());
        } catch (...) {
            // A failed BOOST_REQUIRE, for example: it ended the first case, and would end the others without a failure.
            throw error("the checkpoint of this case could not be made; an earlier case said why");
        }
    }
    const auto found = checkpoints_.find(fixture);
    return found == checkpoints_.end() ? nullptr : found->second;
}

VMDSL_DECL void runtime_registry::set_checkpoint(std::type_index fixture,
                                                 std::shared_ptr<const network_snapshot> snapshot) {
    const std::lock_guard lock(mutex_);
    checkpoints_.insert_or_assign(fixture, std::move(snapshot));
}

VMDSL_DECL void runtime_registry::set_failure(std::type_index fixture, std::exception_ptr problem) {
    const std::lock_guard lock(mutex_);
    failures_.insert_or_assign(fixture, std::move(problem));
}

VMDSL_DECL void runtime_registry::end_case(bool passed) {
    std::vector<remains> left;
    {
        const std::lock_guard lock(mutex_);
        left.swap(remains_);
    }
    collect_coverage();
    for (auto& death : take_unseen_deaths()) {
        fail_ending_case(machine_died(std::move(death)));
        passed = false;
    }
    if (passed) {
        return;
    }
    for (const auto& one : left) {
        emit(event_kind::evidence, one.machine, {{"console", one.console}, {"console_file", one.console_file}});
    }
}

VMDSL_DECL void runtime_registry::collect_coverage() {
    std::vector<std::weak_ptr<network_runtime>> networks;
    {
        const std::lock_guard lock(mutex_);
        networks = networks_;
    }
    for (const auto& weak : networks) {
        if (const auto network = weak.lock()) {
            network->collect_coverage();
        }
    }
}

VMDSL_DECL void runtime_registry::end_worker() {
    std::vector<std::weak_ptr<network_runtime>> networks;
    std::map<std::type_index, std::shared_ptr<const network_snapshot>> checkpoints;
    {
        const std::lock_guard lock(mutex_);
        networks.swap(networks_);
        checkpoints.swap(checkpoints_);
    }
    for (const auto& weak : networks) {
        if (const auto network = weak.lock()) {
            network->end();
        }
    }
}

}  // namespace vmdsl::detail
