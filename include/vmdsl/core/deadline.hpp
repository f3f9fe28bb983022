// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <compare>
#include <string>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The moment until which something may take, on the steady clock. Passed down by value: whoever is called shares the
/// caller's time instead of getting a time-out of its own. Every duration is safe, also negative and huge ones.
class deadline {
public:
    using clock = std::chrono::steady_clock;

    /// A deadline that is far enough away (about 290 years after boot) never to pass.
    [[nodiscard]] static constexpr deadline never() noexcept { return deadline(clock::time_point::max()); }
    /// A deadline at a given moment.
    [[nodiscard]] static constexpr deadline at(clock::time_point moment) noexcept { return deadline(moment); }
    /// A deadline that passes in `duration` from `now`: at once where that is negative, zero or not-a-number, and
    /// never where it is longer than the clock can count.
    template <class Rep, class Period>
    [[nodiscard]] static constexpr deadline in(std::chrono::duration<Rep, Period> duration,
                                               clock::time_point now = clock::now()) noexcept {
        // Compared in floating-point seconds, because std::chrono's own comparisons overflow for hours::max().
        const auto seconds = std::chrono::duration<double>(duration).count();
        if (!(seconds > 0)) {
            return deadline(now, clock::duration::zero());
        }
        const auto left = std::chrono::duration<double>(clock::time_point::max() - later_of(now, {})).count();
        // A duration that rounds to the limit is taken for one past it: nobody waits for centuries exactly.
        if (seconds >= left * 0.999) {
            return never();
        }
        const auto limit = std::chrono::duration_cast<clock::duration>(duration);
        return deadline(now + limit, limit);
    }

    [[nodiscard]] constexpr clock::time_point moment() const noexcept { return moment_; }
    [[nodiscard]] constexpr bool is_never() const noexcept { return moment_ == clock::time_point::max(); }
    [[nodiscard]] constexpr bool expired(clock::time_point now = clock::now()) const noexcept {
        return now >= moment_ && !is_never();
    }

    /// The time that is left, never negative; clock::duration::max() for `never()`.
    [[nodiscard]] constexpr clock::duration remaining(clock::time_point now = clock::now()) const noexcept {
        if (is_never()) {
            return clock::duration::max();
        }
        if (now >= moment_) {
            return clock::duration::zero();
        }
        // `now` before the clock's zero occurs only with given times; the difference must not overflow there either.
        return moment_ - later_of(now, {});
    }

    /// The time that is left as poll(2) takes it: rounded up, so that nobody wakes early and spins; -1 for `never()`.
    [[nodiscard]] constexpr int poll_timeout(clock::time_point now = clock::now()) const noexcept {
        if (is_never()) {
            return -1;
        }
        constexpr auto longest = std::chrono::milliseconds(2'000'000'000);
        const auto left = remaining(now);
        if (left >= longest) {
            return static_cast<int>(longest.count());
        }
        return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(left).count());
    }

    /// For errors, the limit that was asked for: "within 4 s". Where none was, as for `never()`: "in time".
    [[nodiscard]] VMDSL_DECL std::string limit_text() const;

    /// The earlier of two: a step of something larger may take its own time, but never longer than the whole.
    [[nodiscard]] friend constexpr deadline earlier_of(deadline a, deadline b) noexcept { return a < b ? a : b; }
    friend constexpr std::strong_ordering operator<=>(deadline a, deadline b) noexcept {
        return a.moment_ <=> b.moment_;
    }
    friend constexpr bool operator==(deadline a, deadline b) noexcept { return a.moment_ == b.moment_; }

private:
    explicit constexpr deadline(clock::time_point moment, clock::duration limit = clock::duration::max()) noexcept
        : moment_(moment), limit_(limit) {}

    static constexpr clock::time_point later_of(clock::time_point a, clock::time_point b) noexcept {
        return a < b ? b : a;
    }

    clock::time_point moment_;
    clock::duration limit_;  // max() where none was asked for
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/deadline.ipp>
#endif
