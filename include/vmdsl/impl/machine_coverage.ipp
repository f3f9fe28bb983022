// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <string>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/core/scoped_value.hpp>
#include <vmdsl/core/wait_duty.hpp>
#include <vmdsl/coverage/collection.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/detail/machine_coverage.hpp>
#include <vmdsl/report/boost_test.hpp>

namespace vmdsl::detail {

inline std::atomic<int>& checkpoints_being_made() {
    static std::atomic<int> number = 0;
    return number;
}

VMDSL_DECL checkpoint_coverage::checkpoint_coverage() noexcept {
    ++checkpoints_being_made();
}

VMDSL_DECL checkpoint_coverage::~checkpoint_coverage() {
    --checkpoints_being_made();
}

/// Whose counts are collected now.
inline std::string present_test() {
    if (checkpoints_being_made() > 0) {
        return "(checkpoint)";
    }
    const auto name = running_case();
    return name.empty() ? "(outside of cases)" : name;
}

/// Collecting may take as long as a case, at most, and has a clock of its own: a case is not late because of it.
inline deadline time_to_collect() {
    emit(event_kind::case_time, {}, {});
    const std::chrono::seconds longest = std::chrono::minutes(2);
    const auto limit = current_run().case_timeout;
    return deadline::in(limit.count() == 0 ? longest : std::min(longest, limit));
}

inline void keep_shard(coverage_shard shard, const collection& found) {
    shard.test = present_test();
    try {
        shard = write_shard(current_run().output_directory / "coverage" / "shards", shard, found);
    } catch (const std::exception& problem) {
        shard.problems.emplace_back(problem.what());
    }
    for (const auto& problem : shard.problems) {
        emit(event_kind::warning, shard.machine, {{"text", "coverage is not complete: " + problem}});
    }
}

VMDSL_DECL void machine_coverage::begin() noexcept {
    if (!builds_.empty() && !counting_.exchange(true)) {
        emit(event_kind::coverage, machine_, {{"counting", true}});
    }
}

VMDSL_DECL bool machine_coverage::stop() noexcept {
    const bool counted = counting_.exchange(false);
    if (counted) {
        emit(event_kind::coverage, machine_, {{"counting", false}});
    }
    return counted;
}

VMDSL_DECL void machine_coverage::collect(bool alive, const run_command& run) {
    if (!alive) {
        lose("the machine died or switched itself off: what it had counted since the last collection is lost");
    }
    if (!counting_) {
        return;
    }
    const scoped_value<wait_duty*> no_duty(duty_of_this_thread(), nullptr);  // the condition is no matter of coverage
    command_request request;
    request.arguments = {"/usr/lib/vmdsl/coverage-collect"};
    for (const auto& build : builds_) {
        request.arguments.push_back(build.guest_folder);
    }
    coverage_shard shard{{}, machine_, {}, builds_, 0, {}};
    collection found;
    try {
        const auto result = run(request, time_to_collect());
        if (!result.problem.empty()) {
            shard.problems.push_back(result.problem);
        }
        found = parse_collection(result.out);
    } catch (const error& problem) {
        shard.problems.push_back(problem.details().what_failed);
    }
    emit(event_kind::case_time, {}, {});  // the supervisor leaves this time out, as case_clock::outside does here
    keep_shard(std::move(shard), found);
}

VMDSL_DECL machine_coverage::printed run_collector(agent_client& guest, const command_request& request,
                                                   deadline until) {
    const auto stream = guest.start_command(request);
    std::string problem;
    try {
        const auto end = stream->wait(until);
        if (!end) {
            stream->close();  // the guest kills the whole tree
            problem = "the collector did not end " + until.limit_text();
        } else if (end->failed) {
            problem = "the collector could not be run: " + end->error_text;
        } else if (const command_result result({}, {}, end->exit_code, end->signal, end->duration, end->lingering);
                   result.failed()) {
            problem =
                "the collector " + result.describe() + ": " + tail_of(stream->collected(wire::channel::errors), 400);
        }
    } catch (const machine_died& death) {
        problem = death.details().what_failed;
    }
    return {stream->take_collected(wire::channel::main), problem};
}

VMDSL_DECL void machine_coverage::lose(const std::string& reason) {
    if (stop()) {
        keep_shard({{}, machine_, {}, builds_, 0, {reason}}, {});
    }
}

}  // namespace vmdsl::detail
