// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// The one I/O thread of a process. Every socket to QEMU is read and written there, and every child is started there:
/// PR_SET_PDEATHSIG follows the thread that forked, so that thread must live as long as the process.
///
/// Internal: this header includes Asio, so nothing that a spec includes may include it.
class io_loop {
public:
    /// The process' loop, started at first use and never stopped.
    [[nodiscard]] static VMDSL_DECL io_loop& instance();

    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

    /// Runs `work` on the loop's thread, later. Thread-safe.
    VMDSL_DECL void post(std::function<void()> work);

    /// Runs `work` on the loop's thread and waits for it; what it throws is thrown here. On the loop's own thread it
    /// runs at once.
    VMDSL_DECL void call(const std::function<void()>& work);

    [[nodiscard]] VMDSL_DECL bool on_loop_thread() const noexcept;

    io_loop(const io_loop&) = delete;
    io_loop& operator=(const io_loop&) = delete;

private:
    VMDSL_DECL io_loop();

    boost::asio::io_context context_{1};
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/process/impl/io_loop.ipp>
#endif
