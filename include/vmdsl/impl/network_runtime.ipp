// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/core/timed_phase.hpp>
#include <vmdsl/detail/baked_in.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/detail/runtime_registry.hpp>
#include <vmdsl/net/addressing.hpp>

namespace vmdsl::detail {

VMDSL_DECL owned_folder::owned_folder(std::string_view name) {
    static std::atomic<unsigned> counter{0};
    path_ = current_run().scratch_directory / (std::string(name) + "-" + std::to_string(++counter));
    std::error_code ec;
    std::filesystem::create_directories(path_, ec);
    if (ec) {
        throw could_not_run("can't make the folder " + path_.string() + ": " + ec.message(),
                            "Free some space, or set VMDSL_SCRATCH_DIR to a folder on another disk.");
    }
}

VMDSL_DECL owned_folder::~owned_folder() {
    std::error_code ignored;  // the guardian removes what is left
    std::filesystem::remove_all(path_, ignored);
}

/// What failed, in one sentence.
inline std::string sentence_of(const std::exception_ptr& problem) {
    try {
        std::rethrow_exception(problem);
    } catch (const error& e) {
        return e.details().what_failed;
    } catch (const std::exception& e) {
        return e.what();
    } catch (...) {
        return "an exception of unknown type";
    }
}

struct network_runtime::background {
    std::future<void> loaded;
};

VMDSL_DECL network_runtime::network_runtime(network_plan plan, std::shared_ptr<const network_snapshot> origin)
    : plan_(std::move(plan)),
      origin_(std::move(origin)),
      folder_(std::make_shared<owned_folder>("network")),
      fabric_(std::make_unique<fabric>(plan_)) {
    for (std::size_t i = 0; i < plan_.machines.size(); ++i) {
        machines_.push_back(std::make_unique<machine_runtime>(plan_, i, *fabric_, folder_->path(),
                                                              origin_ ? &origin_->machines.at(i) : nullptr));
    }
}

/// ctest plans with the memory that add_vm_test was told.
inline void check_declared_memory(const network_plan& plan) {
    std::uint64_t mib = 0;
    for (const auto& machine : plan.machines) {
        mib += machine.memory_bytes >> 20;
    }
    if (const auto declared = declared_memory_mib(); declared != 0 && mib > declared) {
        emit(event_kind::warning, {},
             {{"text", "the machines of this network have " + std::to_string(mib) + " MiB, but add_vm_test was told " +
                           std::to_string(declared) + ": write MEMORY " + std::to_string(mib) + " there"}});
    }
}

VMDSL_DECL std::shared_ptr<network_runtime> network_runtime::create(network_plan plan) {
    check_declared_memory(plan);
    std::shared_ptr<network_runtime> network(new network_runtime(std::move(plan), nullptr));
    runtime_registry::instance().add(network);
    return network;
}

VMDSL_DECL std::shared_ptr<network_runtime> network_runtime::restore(
    const std::shared_ptr<const network_snapshot>& snapshot) {
    std::shared_ptr<network_runtime> network(new network_runtime(snapshot->plan, snapshot));
    runtime_registry::instance().add(network);
    network->fabric_->restore(snapshot->links);
    network->body_.start_replay(snapshot->body);
    network->background_ = std::make_unique<background>();
    network->background_->loaded = std::async(std::launch::async, [raw = network.get()] {
        raw->for_all([&](machine_runtime& machine) {
            const auto& snapshot_of_it = raw->origin_->machines.at(raw->index_of(machine));
            if (snapshot_of_it.running) {
                machine.load(snapshot_of_it, deadline::in(std::chrono::seconds(60)));
            }
        });
    });
    return network;
}

VMDSL_DECL network_runtime::~network_runtime() {
    end();
}

VMDSL_DECL void network_runtime::for_all(const std::function<void(machine_runtime&)>& work) {
    std::vector<std::exception_ptr> problems(machines_.size());
    const auto guarded = [&](std::size_t i) {
        try {
            work(*machines_[i]);
        } catch (const machine_died&) {
            machines_[i]->note_seen_death();
            problems[i] = std::current_exception();
        } catch (...) {
            problems[i] = std::current_exception();
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < machines_.size(); ++i) {
            threads.emplace_back(guarded, i);
        }
        guarded(0);
    }
    throw_first(problems);
}

VMDSL_DECL void network_runtime::throw_first(const std::vector<std::exception_ptr>& problems) const {
    const auto first = std::find_if(problems.begin(), problems.end(), [](const auto& one) { return one != nullptr; });
    if (first == problems.end()) {
        return;
    }
    const auto sentence = sentence_of(*first);
    std::string same;
    std::string others;
    for (auto i = static_cast<std::size_t>(first - problems.begin()) + 1; i < problems.size(); ++i) {
        if (!problems[i]) {
            continue;
        }
        const auto& name = machines_[i]->name();
        if (const auto words = sentence_of(problems[i]); words == sentence) {
            same.append(same.empty() ? "" : ", ").append(name);
        } else {
            others.append("\n  machine \"").append(name).append("\" failed as well: ").append(words);
        }
    }
    try {
        std::rethrow_exception(*first);
    } catch (const error& problem) {
        auto details = problem.details();
        if (details.machine.empty()) {
            details.machine = machines_[static_cast<std::size_t>(first - problems.begin())]->name();
        }
        details.what_failed += same.empty() ? "" : " (the same on " + same + ")";
        details.hint += details.hint.empty() ? others.substr(std::min<std::size_t>(3, others.size())) : others;
        throw_like(problem, std::move(details));
    }
}

VMDSL_DECL void network_runtime::add_machine(const machine_plan& added, deadline until) {
    auto larger = plan_;
    larger.machines.push_back(added);
    check_addressable(larger);
    fabric_->add(added);
    machines_.push_back(
        std::make_unique<machine_runtime>(larger, machines_.size(), *fabric_, folder_->path(), nullptr));
    plan_ = std::move(larger);
    const auto hosts = hosts_file(plan_);
    for_all([&](machine_runtime& machine) { machine.set_hosts(hosts, until); });
}

VMDSL_DECL void network_runtime::boot_all(deadline until) {
    const timed_phase phase("boot");
    for_all([&](machine_runtime& machine) {
        if (!machine.running()) {
            machine.boot(until);
        }
    });
}

/// Frames on their way are no part of a checkpoint. A machine that sends although it is paused is worth a warning.
inline void tell_losses(const drain_report& drained) {
    if (const auto losses = drained.losses(); !losses.empty()) {
        emit(drained.still_writing.empty() ? event_kind::note : event_kind::warning, {},
             {{"text", "the checkpoint does not have, of what was on its way: " + losses}});
    }
}

VMDSL_DECL std::shared_ptr<network_snapshot> network_runtime::freeze(std::chrono::nanoseconds limit) {
    const timed_phase phase("save the checkpoint");
    auto snapshot = std::make_shared<network_snapshot>();
    snapshot->plan = plan_;
    snapshot->body = body_.take_recording();
    const auto running_ones = [&](const std::function<void(machine_runtime&)>& work) {
        for_all([&](machine_runtime& machine) {
            if (machine.switched_on()) {
                work(machine);
            }
        });
    };
    case_clock::outside([&] { collect_coverage(); });  // a clone's counters start from zero: nothing is counted twice
    const auto until = deadline::in(limit);
    running_ones([&](machine_runtime& machine) { machine.quiesce(until); });
    fabric_->pause();
    running_ones([&](machine_runtime& machine) { (void)machine.qmp("stop", "{}", until); });
    tell_losses(fabric_->drain_to_whole_frames());
    snapshot->links = fabric_->save();
    snapshot->machines.resize(machines_.size());
    for_all([&](machine_runtime& machine) { snapshot->machines[index_of(machine)] = machine.save(until); });
    snapshot->folder = folder_;
    return snapshot;
}

VMDSL_DECL void network_runtime::await_restored(deadline until) {
    body_.go_live();
    auto loading = std::move(background_);
    loading->loaded.get();
    for_all([&](machine_runtime& machine) {
        if (origin_->machines[index_of(machine)].running) {
            machine.wake(until);
        }
    });
}

VMDSL_DECL void network_runtime::note_seen_death(std::string_view name) {
    for (auto& machine : machines_) {
        if (machine->name() == name) {
            machine->note_seen_death();
        }
    }
}

VMDSL_DECL std::vector<error_details> network_runtime::take_unseen_deaths() {
    std::vector<error_details> deaths;
    for (auto& machine : machines_) {
        if (auto death = machine->take_unseen_death()) {
            deaths.push_back(*std::move(death));
        }
    }
    return deaths;
}

VMDSL_DECL void network_runtime::collect_coverage() {
    if (!machines_.empty()) {
        for_all([](machine_runtime& machine) { machine.collect_coverage(); });
    }
}

VMDSL_DECL void network_runtime::end() {
    if (background_ && background_->loaded.valid()) {
        background_->loaded.wait();
        background_.reset();
    }
    collect_coverage();
    for (auto& death : take_unseen_deaths()) {
        runtime_registry::instance().keep_unseen_death(std::move(death));
    }
    for (auto& machine : machines_) {
        if (auto console = machine->last_words(); !console.empty()) {
            runtime_registry::instance().keep_remains(machine->name(), std::move(console),
                                                      machine->console_file().string());
        }
    }
    machines_.clear();
    fabric_.reset();
}

VMDSL_DECL std::size_t network_runtime::index_of(const machine_runtime& machine) const {
    std::size_t index = 0;
    while (machines_[index].get() != &machine) {
        ++index;
    }
    return index;
}

}  // namespace vmdsl::detail
