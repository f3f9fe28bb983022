// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cmath>
#include <thread>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <vmdsl/qemu/time_stamp_counter.hpp>

namespace vmdsl {

#if defined(__x86_64__)

namespace detail {

struct tsc_reading {
    std::chrono::nanoseconds clock{};
    std::uint64_t counter = 0;
};

/// Both at the same moment: of several attempts the one that took least time, which nothing interrupted.
inline tsc_reading read_tsc_and_clock() {
    const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch(); };
    tsc_reading best;
    auto shortest = std::chrono::nanoseconds::max();
    for (int attempt = 0; attempt != 50; ++attempt) {
        const std::chrono::nanoseconds before = now();
        const auto counter = __rdtsc();
        const std::chrono::nanoseconds after = now();
        if (after - before < shortest) {
            shortest = after - before;
            best = {before + shortest / 2, counter};
        }
    }
    return best;
}

}  // namespace detail

VMDSL_DECL std::uint64_t measure_tsc_khz() {
    const auto first = detail::read_tsc_and_clock();
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    const auto last = detail::read_tsc_and_clock();
    const std::chrono::duration<double, std::milli> passed = last.clock - first.clock;
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(last.counter - first.counter) / passed.count()));
}

#else

VMDSL_DECL std::uint64_t measure_tsc_khz() {
    return 0;
}

#endif

VMDSL_DECL std::uint64_t tsc_khz() {
    static const auto measured = measure_tsc_khz();
    return measured;
}

}  // namespace vmdsl
