// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <limits>

#include <vmdsl/core/deadline.hpp>

namespace {

using namespace std::chrono_literals;
using vmdsl::deadline;
using clock = deadline::clock;

constexpr clock::time_point now{1h};

static_assert(deadline::in(20s, now).moment() == now + 20s);
static_assert(deadline::in(20s, now).remaining(now) == 20s);
static_assert(deadline::in(20s, now).remaining(now + 15s) == 5s);
static_assert(deadline::in(1.5s, now).remaining(now) == 1500ms);
static_assert(!deadline::in(20s, now).expired(now + 19s));
static_assert(deadline::in(20s, now).expired(now + 20s));
static_assert(deadline::in(20s, now).expired(now + 100h));
static_assert(deadline::in(20s, now).remaining(now + 100h) == 0s);
static_assert(deadline::at(now).expired(now));

// Negative and senseless durations are over at once.
static_assert(deadline::in(0s, now).expired(now));
static_assert(deadline::in(-1ns, now).expired(now));
static_assert(deadline::in(std::chrono::hours::min(), now).expired(now));
static_assert(deadline::in(std::chrono::nanoseconds::min(), now).remaining(now) == 0s);
static_assert(deadline::in(std::chrono::duration<double>(std::numeric_limits<double>::quiet_NaN()), now).expired(now));

// Durations that the clock can't count never pass.
static_assert(deadline::in(std::chrono::hours::max(), now).is_never());
static_assert(deadline::in(std::chrono::nanoseconds::max(), now).is_never());
static_assert(deadline::in(std::chrono::duration<double>(1e300), now).is_never());
static_assert(deadline::in(std::chrono::duration<double>(std::numeric_limits<double>::infinity()), now).is_never());
static_assert(deadline::in(std::chrono::nanoseconds::max(), clock::time_point::min()).is_never());
static_assert(!deadline::in(24h * 365 * 100, now).is_never());

static_assert(deadline::never().is_never());
static_assert(!deadline::never().expired(now));
static_assert(!deadline::never().expired(clock::time_point::max()));
static_assert(deadline::never().remaining(now) == clock::duration::max());
static_assert(deadline::at(now).remaining(clock::time_point::min()) == 1h);

// For poll: never early, never an overflow.
static_assert(deadline::in(20s, now).poll_timeout(now) == 20000);
static_assert(deadline::in(1ns, now).poll_timeout(now) == 1);
static_assert(deadline::in(1ms + 1ns, now).poll_timeout(now) == 2);
static_assert(deadline::in(-5s, now).poll_timeout(now) == 0);
static_assert(deadline::never().poll_timeout(now) == -1);
static_assert(deadline::in(24h * 365 * 100, now).poll_timeout(now) == 2'000'000'000);

static_assert(earlier_of(deadline::in(1s, now), deadline::in(2s, now)) == deadline::in(1s, now));
static_assert(earlier_of(deadline::never(), deadline::in(2s, now)) == deadline::in(2s, now));

}  // namespace
