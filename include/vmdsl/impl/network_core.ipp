// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <utility>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/core/scoped_value.hpp>
#include <vmdsl/core/timed_phase.hpp>
#include <vmdsl/detail/condition_check.hpp>
#include <vmdsl/detail/control_server.hpp>
#include <vmdsl/detail/machine_coverage.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/detail/replay.hpp>
#include <vmdsl/detail/runtime_registry.hpp>
#include <vmdsl/detail/transcript.hpp>
#include <vmdsl/process/io_loop.hpp>

namespace vmdsl::detail {

VMDSL_DECL network_core::network_core(network_plan plan) : plan_(std::move(plan)) {
}

VMDSL_DECL network_core::~network_core() {
    if (runtime_) {
        runtime_->end();
    }
}

VMDSL_DECL network_runtime& network_core::runtime() {
    const std::lock_guard lock(mutex_);
    if (!runtime_) {
        runtime_ = network_runtime::create(plan_);
    }
    return *runtime_;
}

VMDSL_DECL machine_runtime& network_core::machine(std::size_t index) {
    return runtime().machine(index);
}

/// Does a verb and says in the event stream that it begins, and then how long it took and how it ended.
inline verb_answer do_with_event(const verb_call& call, const std::function<verb_answer()>& live) {
    emit(event_kind::verb, call.machine, {{"text", text_of(call)}, {"where", to_string(call.where)}});
    const auto begin = deadline::clock::now();
    const auto say = [&](const std::string& outcome) {
        const auto seconds = std::chrono::duration<double>(deadline::clock::now() - begin).count();
        emit(event_kind::command, call.machine, {{"text", text_of(call)}, {"seconds", seconds}, {"outcome", outcome}});
    };
    try {
        auto answer = live();
        say(answer.outcome);
        return answer;
    } catch (const error& problem) {
        say(problem.details().what_failed);
        throw;
    } catch (const std::exception& problem) {
        say(problem.what());
        throw;
    } catch (...) {
        say("it was left by what is no std::exception");
        throw;
    }
}

VMDSL_DECL verb_answer network_core::perform(const verb_call& call, const std::function<verb_answer()>& live) {
    if (checking_on_this_thread()) {
        return perform_quietly(call, live);
    }
    return perform_quietly(call, [&] {
        if (auto* const duty = duty_of_this_thread(); duty != nullptr && duty->due().expired()) {
            duty->perform();
        }
        return do_with_event(call, live);
    });
}

VMDSL_DECL verb_answer network_core::perform_quietly(const verb_call& call, const std::function<verb_answer()>& live) {
    const auto now = [&] { return perform_unrecorded(call, live); };
    return checking_on_this_thread() ? now() : runtime().body().perform(call, now);
}

VMDSL_DECL verb_answer network_core::perform_unrecorded(const verb_call& call,
                                                        const std::function<verb_answer()>& live) {
    if (io_loop::instance().on_loop_thread()) {
        throw usage_error("a verb was called on the I/O thread, which has to go on while the verb waits");
    }
    try {
        return live();
    } catch (const condition_failed&) {
        throw;  // it tells of the condition, not of the verb that it ended
    } catch (const error& problem) {
        auto details = completed(problem.details(), call);
        if (dynamic_cast<const machine_died*>(&problem) != nullptr) {
            runtime().note_seen_death(details.machine);
        }
        throw_like(problem, std::move(details));
    }
}

VMDSL_DECL error_details network_core::completed(error_details details, const verb_call& call) {
    const auto fill = [](std::string& part, const std::string& text) { part = part.empty() ? text : part; };
    const bool of_another_verb = !details.where.empty();  // one that a condition asked while this one waited
    fill(details.machine, call.machine);
    fill(details.where, to_string(call.where));
    fill(details.command, call.is_command && !of_another_verb ? call.arguments : std::string());
    for (std::size_t i = 0; i < plan_.machines.size() && details.console_tail.empty(); ++i) {
        if (plan_.machines[i].name == details.machine) {
            details.console_tail = machine(i).console_tail();
        }
    }
    return details;
}

VMDSL_DECL verb_answer network_core::ask(verb_call call, const std::function<verb_answer()>& live) {
    call.question = true;
    return perform_quietly(call, live);
}

VMDSL_DECL std::string network_core::segment_of(std::string_view machine, std::string_view segment) const {
    for (const auto& plan : plan_.machines) {
        if (plan.name != machine) {
            continue;
        }
        for (const auto& one : plan.segments) {
            if (segment.empty() || one == segment) {
                return one;
            }
        }
    }
    throw usage_error("machine \"" + std::string(machine) + "\" is on no segment \"" + std::string(segment) + "\"");
}

VMDSL_DECL std::size_t network_core::add_machine(machine_plan added, const source_location& where) {
    if (added.segments.empty()) {
        added.segments.push_back(plan_.segments.front());
    }
    const auto text = added.name + " " + (added.kernel.empty() ? added.image : added.kernel) + " " +
                      std::to_string(added.memory_bytes >> 20) + " MiB";
    (void)perform({{}, "add machine", text, where}, [&] {
        runtime().add_machine(added, case_clock::verb(std::chrono::minutes(1)));
        return verb_answer{};
    });
    plan_.machines.push_back(std::move(added));
    return plan_.machines.size() - 1;
}

VMDSL_DECL void network_core::start(std::chrono::nanoseconds limit, source_location where) {
    (void)perform({{}, "start", {}, where}, [&] {
        runtime().boot_all(case_clock::verb(limit));
        return verb_answer{};
    });
    hold_as_started();
}

VMDSL_DECL void network_core::hold(const std::function<void()>& body) {
    held_ = true;
    body();
    serve_person(*this);
}

VMDSL_DECL void network_core::hold_as_started() {
    const auto is_first = [&] {
        const std::lock_guard lock(mutex_);
        return !std::exchange(held_, true);
    };
    if (current_run().holds && is_first()) {
        serve_person(*this);
    }
}

VMDSL_DECL void network_core::cut(std::string_view machine, std::string_view segment) {
    (void)perform_quietly({std::string(machine), "cut", std::string(segment)}, [&] {
        runtime().links().cut(machine, segment);
        emit(event_kind::fault, machine, {{"text", "cut from " + std::string(segment)}});
        return verb_answer{};
    });
}

VMDSL_DECL void network_core::heal(std::string_view machine, std::string_view segment) {
    (void)perform_quietly({std::string(machine), "heal", std::string(segment)}, [&] {
        runtime().links().heal(machine, segment);
        emit(event_kind::fault, machine, {{"text", "healed to " + std::string(segment)}});
        return verb_answer{};
    });
}

VMDSL_DECL std::shared_ptr<const network_snapshot> network_core::record(const std::function<void()>& body) {
    const checkpoint_coverage belongs_to_it;
    const timed_phase phase("prepare");
    runtime_ = network_runtime::create(plan_);
    runtime_->body().start_recording();
    body();
    std::shared_ptr<const network_snapshot> snapshot = runtime_->freeze(std::chrono::minutes(2));
    runtime_->end();
    runtime_.reset();
    return snapshot;
}

VMDSL_DECL void network_core::restore(const std::shared_ptr<const network_snapshot>& snapshot,
                                      const std::function<void()>& body) {
    runtime_ = network_runtime::restore(snapshot);
    {
        const scoped_value replaying(replay_under_way(), true);
        body();
    }
    runtime_->await_restored(deadline::in(std::chrono::minutes(1)));
}

VMDSL_DECL void restore_fixture(std::type_index fixture, network_core& core,
                                const std::function<std::shared_ptr<const network_snapshot>()>& record,
                                const std::function<void()>& body) {
    if (current_run().holds) {
        core.hold(body);
    }
    auto& registry = runtime_registry::instance();
    for (int attempt = 0;; ++attempt) {
        auto snapshot = registry.checkpoint(fixture);  // throws what made it fail before
        if (!snapshot) {
            try {
                case_clock::restart();
                snapshot = record();
                case_clock::restart();
            } catch (...) {
                registry.set_failure(fixture, std::current_exception());
                throw;
            }
            registry.set_checkpoint(fixture, snapshot);
        }
        try {
            core.restore(snapshot, body);
            return;
        } catch (const transcript_mismatch& mismatch) {
            registry.set_checkpoint(fixture, nullptr);
            if (attempt > 0) {
                throw usage_error("prepare() asks for something else each time it runs: " + mismatch.asked +
                                      " instead of " + mismatch.recorded,
                                  "A checkpoint's body is run again for each case and gets the recorded answers, so "
                                  "what it asks must not depend on time, random numbers or earlier cases.");
            }
        }
    }
}

}  // namespace vmdsl::detail
