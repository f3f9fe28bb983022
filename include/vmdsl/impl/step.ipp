// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <exception>
#include <vector>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/detail/replay.hpp>
#include <vmdsl/step.hpp>

namespace vmdsl::detail {

/// The paths of the steps that this thread is in.
inline std::vector<std::string>& steps_of_this_thread() {
    thread_local std::vector<std::string> steps;
    return steps;
}

inline std::string words_of_current_exception() {
    try {
        throw;
    } catch (const std::exception& problem) {
        return problem.what();
    } catch (...) {
        return {};  // Boost.Test's own way of leaving a case
    }
}

VMDSL_DECL open_step::open_step(std::string_view name) : name_(name), begin_(std::chrono::steady_clock::now()) {
    auto& around = steps_of_this_thread();
    path_ = around.empty() ? name_ : around.back() + " > " + name_;
    if (!replay_under_way()) {
        emit(event_kind::step, {},
             {{"text", name_}, {"path", path_}, {"depth", static_cast<std::int64_t>(around.size())}});
    }
    around.push_back(path_);
}

VMDSL_DECL open_step::~open_step() {
    say_end(true, {});
}

VMDSL_DECL void open_step::fail() noexcept {
    say_end(false, words_of_current_exception());
}

VMDSL_DECL void open_step::say_end(bool passed, std::string problem) noexcept {
    if (std::exchange(said_, true)) {
        return;
    }
    auto& around = steps_of_this_thread();
    around.pop_back();
    if (replay_under_way()) {
        return;
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    emit(event_kind::step_end, {},
         {{"text", name_},
          {"path", path_},
          {"depth", static_cast<std::int64_t>(around.size())},
          {"seconds", seconds},
          {"passed", passed},
          {"problem", std::move(problem)}});
}

}  // namespace vmdsl::detail
