// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>
#include <chrono>
#include <exception>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
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

inline void keep_shard(coverage_shard shard, const collection& found) {
    shard.test = checkpoints_being_made() > 0 ? "(checkpoint)" : running_case();
    try {
        shard = write_shard(current_run().output_directory / "coverage" / "shards", std::move(shard), found);
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
    command_request request;
    request.arguments = {"/usr/lib/vmdsl/coverage-collect"};
    for (const auto& build : builds_) {
        request.arguments.push_back(build.guest_folder);
    }
    coverage_shard shard{{}, machine_, {}, builds_, 0, {}};
    collection found;
    try {
        const auto result = run(request, deadline::in(std::chrono::minutes(2)));
        if (result.failed()) {
            shard.problems.push_back("the collector " + result.describe() + ": " + tail_of(result.err(), 400));
        }
        found = parse_collection(result.out());
    } catch (const error& problem) {
        shard.problems.push_back(problem.details().what_failed);
    }
    keep_shard(std::move(shard), found);
}

VMDSL_DECL void machine_coverage::lose(const std::string& reason) {
    if (stop()) {
        keep_shard({{}, machine_, {}, builds_, 0, {reason}}, {});
    }
}

}  // namespace vmdsl::detail
