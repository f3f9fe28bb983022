// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <atomic>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>

namespace vmdsl {

namespace detail {

/// The clock's zero: no case has begun.
inline std::atomic<deadline::clock::time_point> case_begin{};

}  // namespace detail

VMDSL_DECL void case_clock::restart() {
    detail::case_begin = deadline::clock::now();
    emit(event_kind::case_time, {}, {});
}

VMDSL_DECL deadline case_clock::end() {
    const deadline::clock::time_point begin = detail::case_begin;
    const auto limit = current_run().case_timeout;
    return begin == deadline::clock::time_point{} || limit.count() == 0 ? deadline::never()
                                                                        : deadline::in(limit, begin);
}

VMDSL_DECL void case_clock::postpone(std::chrono::nanoseconds time) {
    auto begin = detail::case_begin.load();
    while (begin != deadline::clock::time_point{} && !detail::case_begin.compare_exchange_weak(begin, begin + time)) {
    }
}

VMDSL_DECL std::chrono::nanoseconds case_clock::elapsed() {
    return deadline::clock::now() - detail::case_begin.load();
}

}  // namespace vmdsl
