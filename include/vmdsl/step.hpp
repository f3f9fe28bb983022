// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Parts of a case that have a name in the log.

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

namespace detail {

/// A step that is under way on this thread: says in the event stream that it begins, and in the end how it went.
class open_step {
public:
    VMDSL_DECL explicit open_step(std::string_view name);
    VMDSL_DECL ~open_step();
    open_step(const open_step&) = delete;
    open_step& operator=(const open_step&) = delete;

    /// To be called where an exception that is being handled leaves it.
    VMDSL_DECL void fail() noexcept;

private:
    VMDSL_DECL void say_end(bool passed, std::string problem) noexcept;

    std::string name_;
    std::string path_;
    std::chrono::steady_clock::time_point begin_;
    bool said_ = false;
};

}  // namespace detail

/// Does a part of a case under a name, and returns what that returns:
///
///     auto files = step("check out", [&] { return client.run("svn checkout http://webserver/repos/demo wc").out(); });
///
/// The log shows the step, within the one that it is in on this thread, and how long it took; a problem's text ends
/// with the path of the step that it happened in. What the work throws goes on. While a checkpoint's body is replayed
/// its steps are not shown.
template <class Work>
decltype(auto) step(std::string_view name, Work&& work) {
    detail::open_step open(name);
    try {
        return std::forward<Work>(work)();
    } catch (...) {
        open.fail();
        throw;
    }
}

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/step.ipp>
#endif
