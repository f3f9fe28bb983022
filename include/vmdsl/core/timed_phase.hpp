// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <string>
#include <utility>

#include <vmdsl/core/event.hpp>
#include <vmdsl/core/event_stream.hpp>

namespace vmdsl::detail {

/// Something long, for as long as the object lives: its begin is an event, and so is its end, by an exception too, with
/// the time that it took.
class timed_phase {
public:
    explicit timed_phase(std::string text) : text_(std::move(text)) { emit(event_kind::phase, {}, {{"text", text_}}); }
    ~timed_phase() {
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin_;
        emit(event_kind::phase_end, {}, {{"text", text_}, {"seconds", time.count()}});
    }
    timed_phase(const timed_phase&) = delete;
    timed_phase& operator=(const timed_phase&) = delete;

private:
    std::string text_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace vmdsl::detail
