// SPDX-License-Identifier: BSL-1.0
#pragma once

/// A condition that has to hold while a part of a case runs.

#include <chrono>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/source_location.hpp>
#include <vmdsl/core/wait_duty.hpp>

namespace vmdsl {

/// Something that has to hold while a part of a case runs:
///
///     polling_condition("the site answers", [&] { return client.execute("curl -fsS http://webserver/").succeeded(); })
///         .during([&] { net.machine("webserver").run("./upgrade"); });
///
/// It is asked at the beginning, at the end, and meanwhile by the verbs of the same thread: before each one, and while
/// one waits. When it does not hold, or throws an `error`, the verb throws `condition_failed` at once, and a command
/// that it waited for is killed; `machine_died`, and exceptions that are none of vmdsl's, go on as they are. What the
/// condition asks of the machines is neither shown nor, in `prepare()`, recorded; while `prepare()` is replayed nothing
/// is asked. A condition may be watched within another one.
class polling_condition {
public:
    /// A condition with a name for its error's text. Nothing is asked yet.
    VMDSL_DECL polling_condition(std::string description, std::function<bool()> holds,
                                 source_location where = source_location::current());

    /// How long it is not asked again after it held; default 2 s. With 0 it is asked as often as a verb can.
    polling_condition& every(std::chrono::nanoseconds interval) {
        interval_ = interval;
        return *this;
    }

    /// Does the work and returns what it returns. Throws `condition_failed`, and what the work throws; the condition
    /// is not asked again then.
    template <class Work>
    decltype(auto) during(Work&& work) const;

private:
    class watch;

    std::string description_;
    std::function<bool()> holds_;
    source_location where_;
    std::chrono::nanoseconds interval_ = std::chrono::seconds(2);
};

/// A condition that is being watched on this thread, within the one that was watched there before.
class polling_condition::watch : public wait_duty {
public:
    VMDSL_DECL explicit watch(const polling_condition& condition);
    VMDSL_DECL ~watch() override;

    [[nodiscard]] VMDSL_DECL deadline due() const override;
    VMDSL_DECL void perform() override;

    /// Asks. Throws `condition_failed`.
    VMDSL_DECL void check();

private:
    const polling_condition& condition_;
    wait_duty* outer_;
    std::chrono::steady_clock::time_point begin_;
    deadline next_;
};

template <class Work>
decltype(auto) polling_condition::during(Work&& work) const {
    watch watched(*this);
    watched.check();
    if constexpr (std::is_void_v<decltype(std::forward<Work>(work)())>) {
        std::forward<Work>(work)();
        watched.check();
    } else {
        decltype(auto) result = std::forward<Work>(work)();
        watched.check();
        return result;
    }
}

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/polling_condition.ipp>
#endif
