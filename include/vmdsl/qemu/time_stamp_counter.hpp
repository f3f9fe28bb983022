// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The rate of this host's time-stamp counter in kHz, measured against the monotonic clock for 30 ms, to some
/// millionths. 0 where the processor has none.
[[nodiscard]] VMDSL_DECL std::uint64_t measure_tsc_khz();

/// The same, measured once per process.
///
/// An emulated guest's counter is the host's. A guest's kernel finds its rate out by timing it against other clocks at
/// boot, and if QEMU does not run just then, because the host is busy, the guest's clocks are wrong from then on, by
/// factors up to 35 (seen at a load of 15 on 2 cores). So it is told (`tsc_early_khz`).
[[nodiscard]] VMDSL_DECL std::uint64_t tsc_khz();

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/time_stamp_counter.ipp>
#endif
