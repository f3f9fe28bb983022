// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>

namespace vmdsl {

/// The time of the case that runs just now. It begins with the case, and once more when the case's checkpoint is made
/// and when that is done: each of the two has the whole of `run_options::case_timeout`. Thread-safe.
class case_clock {
public:
    /// The time begins now. The supervisor is told, which ends a case from outside that does not keep its limit.
    static VMDSL_DECL void restart();

    /// When the limit is reached; never before the first case, and where there is no limit.
    [[nodiscard]] static VMDSL_DECL deadline end();

    /// Does what is no part of the case, such as collecting coverage: the limit comes later by as long as that takes.
    template <class Work>
    static void outside(Work work) {
        const auto begin = deadline::clock::now();
        work();
        postpone(deadline::clock::now() - begin);
    }

    /// Since the last `restart`, without what was done `outside`.
    [[nodiscard]] static VMDSL_DECL std::chrono::nanoseconds elapsed();

    /// The deadline of a verb that may take so long: the case's where that comes first, so that what hangs is told by
    /// the verb, with all that it knows, before the case is ended from outside.
    [[nodiscard]] static deadline verb(std::chrono::nanoseconds limit) {
        return earlier_of(deadline::in(limit), end());
    }

private:
    static VMDSL_DECL void postpone(std::chrono::nanoseconds time);
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/case_clock.ipp>
#endif
