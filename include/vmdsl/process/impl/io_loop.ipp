// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <csignal>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <vmdsl/process/io_loop.hpp>

namespace vmdsl {

namespace detail {
inline thread_local bool is_io_loop_thread = false;
}

VMDSL_DECL io_loop& io_loop::instance() {
    // Never destroyed: a child must not lose the thread that forked it, and static destructors may still post.
    static auto* loop = new io_loop;
    return *loop;
}

VMDSL_DECL io_loop::io_loop() {
    std::promise<void> running;
    auto started = running.get_future();
    std::thread([this, running = std::move(running)]() mutable {
        // Signals are the main thread's business.
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
        detail::is_io_loop_thread = true;
        running.set_value();
        const auto keep = boost::asio::make_work_guard(context_);
        context_.run();
    }).detach();
    started.wait();
}

VMDSL_DECL void io_loop::post(std::function<void()> work) {
    boost::asio::post(context_, std::move(work));
}

VMDSL_DECL void io_loop::call(const std::function<void()>& work) {
    if (on_loop_thread()) {
        work();
        return;
    }
    std::promise<void> done;
    auto result = done.get_future();
    boost::asio::post(context_, [&] {
        try {
            work();
            done.set_value();
        } catch (...) {
            done.set_exception(std::current_exception());
        }
    });
    result.get();
}

VMDSL_DECL bool io_loop::on_loop_thread() const noexcept {
    return detail::is_io_loop_thread;
}

}  // namespace vmdsl
