// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <time.h>

namespace vmdsl::agent {

inline constexpr std::uint64_t nanoseconds_per_second = 1'000'000'000;
inline constexpr std::uint64_t nanoseconds_per_millisecond = 1'000'000;

[[nodiscard]] inline std::uint64_t clock_nanoseconds(clockid_t clock) noexcept {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * nanoseconds_per_second + static_cast<std::uint64_t>(now.tv_nsec);
}

[[nodiscard]] inline std::uint64_t monotonic_nanoseconds() noexcept {
    return clock_nanoseconds(CLOCK_MONOTONIC);
}

}  // namespace vmdsl::agent
