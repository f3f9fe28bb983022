// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/child.hpp>
#include <vmdsl/process/io_loop.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

namespace detail {

/// A pipe's two ends, both closed on exec.
struct pipe_pair {
    unique_fd read_end;
    unique_fd write_end;
};

inline pipe_pair make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw could_not_run(std::string("can't make a pipe: ") + std::strerror(errno));
    }
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// What the child needs between fork and exec, laid out before the fork: from there on only async-signal-safe calls
/// are allowed, since another thread may have held any lock at that moment.
///
/// Boost.Process v2 1.81 is not used here: it calls io_context::notify_fork in parent and child while other threads
/// use the context, which Asio forbids (the child may wait for ever for a lock), and leaves a failed child by exit(),
/// which runs the parent's atexit handlers.
struct exec_plan {
    const char* program;
    char* const* arguments;
    int null_input;
    int output;
    int error_report;
    pid_t parent;
    const std::vector<int>* inherited;

    [[noreturn]] void run() const noexcept {
        if (become_child()) {
            ::execv(program, arguments);
        }
        const int problem = errno;
        [[maybe_unused]] const auto written = ::write(error_report, &problem, sizeof problem);
        ::_exit(127);
    }

private:
    [[nodiscard]] bool become_child() const noexcept {
        sigset_t none;
        ::sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
        if (::setpgid(0, 0) != 0 || ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
            return false;
        }
        if (::getppid() != parent) {  // the parent died before PR_SET_PDEATHSIG took effect
            ::_exit(127);
        }
        if (::dup2(null_input, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(output, 2) < 0) {
            return false;
        }
        if (::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
            return false;
        }
        for (const int fd : *inherited) {
            if (::fcntl(fd, F_SETFD, 0) != 0) {
                return false;
            }
        }
        return true;
    }
};

inline void keep_tail(std::string& tail, std::string_view more, std::size_t limit) {
    tail += more;
    if (tail.size() > limit) {
        tail.erase(0, tail.size() - limit);
    }
}

/// Forks and executes; returns the pid. Throws `could_not_run`.
inline pid_t fork_and_exec(const child_options& options, int output) {
    const unique_fd null_input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    auto report = make_pipe();
    std::vector<char*> arguments;
    arguments.push_back(const_cast<char*>(options.program.c_str()));
    for (const auto& argument : options.arguments) {
        arguments.push_back(const_cast<char*>(argument.c_str()));
    }
    arguments.push_back(nullptr);
    const exec_plan plan{options.program.c_str(), arguments.data(), null_input.get(),  output,
                         report.write_end.get(),  ::getpid(),       &options.inherited};
    const pid_t pid = ::fork();
    if (pid == 0) {
        plan.run();
    }
    if (pid < 0) {
        throw could_not_run("can't start " + options.program + ": " + std::strerror(errno));
    }
    report.write_end.reset();
    int problem = 0;
    ssize_t n = 0;
    do {
        n = ::read(report.read_end.get(), &problem, sizeof problem);
    } while (n < 0 && errno == EINTR);
    if (n == 0) {
        return pid;
    }
    ::waitpid(pid, nullptr, 0);
    throw could_not_run("can't start " + options.program + ": " + std::strerror(problem));
}

/// Has the loop watch a descriptor. Throws `could_not_run` where there is none (errno says why) or none more can be.
inline void watch(boost::asio::posix::stream_descriptor& watched, unique_fd fd) {
    boost::system::error_code ec;
    if (fd) {
        watched.assign(fd.get(), ec);
    } else {
        ec.assign(errno, boost::system::system_category());
    }
    if (ec) {
        throw could_not_run("can't watch a child process: " + ec.message());
    }
    (void)fd.release();
}

}  // namespace detail

struct child::implementation {
    explicit implementation(boost::asio::io_context& context) : output(context), ended(context) {}

    boost::asio::posix::stream_descriptor output;
    boost::asio::posix::stream_descriptor ended;  // a pidfd: readable once the process has ended
    std::array<char, 4096> buffer{};
    std::string tail;
    std::size_t tail_limit = 8192;
    std::function<void(const child_exit&)> on_exit;
    bool output_ended = false;
    std::optional<int> status;
    std::shared_ptr<child> self;  // keeps the object alive until the process is reaped

    void read_output(child& owner) {
        output.async_read_some(boost::asio::buffer(buffer),
                               [this, &owner](boost::system::error_code ec, std::size_t n) {
                                   detail::keep_tail(tail, {buffer.data(), n}, tail_limit);
                                   if (!ec) {
                                       read_output(owner);
                                       return;
                                   }
                                   output_ended = true;
                                   finish(owner);
                               });
    }

    void wait_for_end(child& owner) {
        ended.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this, &owner](boost::system::error_code) {
            int value = 0;
            ::waitpid(owner.pid_, &value, 0);
            status = value;
            finish(owner);
        });
    }

    void finish(child& owner) {
        if (!status) {
            return;
        }
        if (!output_ended) {
            // A descendant may hold the pipe open: take what is there and go on without it.
            drain();
            boost::system::error_code ignored;
            output.close(ignored);
            return;  // the cancelled read comes back here
        }
        child_exit result;
        if (WIFSIGNALED(*status)) {
            result.signal = WTERMSIG(*status);
        } else {
            result.code = WEXITSTATUS(*status);
        }
        result.output_tail = std::move(tail);
        const auto keep = std::move(self);
        {
            const std::lock_guard lock(owner.mutex_);
            owner.exit_ = result;
        }
        owner.changed_.notify_all();
        if (const auto handler = std::exchange(on_exit, {})) {
            handler(result);
        }
    }

    void drain() {
        boost::system::error_code ec;
        output.non_blocking(true, ec);
        while (!ec) {
            const auto n = output.read_some(boost::asio::buffer(buffer), ec);
            detail::keep_tail(tail, {buffer.data(), n}, tail_limit);
        }
    }
};

VMDSL_DECL std::string child_exit::describe() const {
    if (signal != 0) {
        return "was ended by signal " + std::to_string(signal) + " (" + ::strsignal(signal) + ")";
    }
    return "exited with code " + std::to_string(code);
}

VMDSL_DECL std::shared_ptr<child> child::start(child_options options) {
    std::shared_ptr<child> result(new child);
    auto& loop = io_loop::instance();
    loop.call([&] {
        result->impl_ = std::make_unique<implementation>(loop.context());
        auto& impl = *result->impl_;
        impl.tail_limit = options.output_limit;
        auto output = detail::make_pipe();
        result->pid_ = detail::fork_and_exec(options, output.write_end.get());
        try {
            // The pid can't have been reused: nobody but this thread reaps it.
            detail::watch(impl.ended, unique_fd(static_cast<int>(::syscall(SYS_pidfd_open, result->pid_, 0))));
            detail::watch(impl.output, std::move(output.read_end));
        } catch (...) {
            ::kill(result->pid_, SIGKILL);
            ::waitpid(result->pid_, nullptr, 0);
            throw;
        }
        impl.on_exit = std::move(options.on_exit);
        impl.self = result;
        impl.read_output(*result);
        impl.wait_for_end(*result);
    });
    return result;
}

VMDSL_DECL child::~child() = default;

VMDSL_DECL void child::send_signal(int number) noexcept {
    // Reaping happens on the I/O thread only, so a pid seen as alive there can't have been given to someone else.
    try {
        io_loop::instance().call([&] {
            if (!impl_->status) {
                ::kill(pid_, number);
            }
        });
    } catch (...) {
        return;  // only an exhausted allocator gets here; the process still dies with us
    }
}

VMDSL_DECL std::optional<child_exit> child::wait(deadline until) {
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, until.moment(), [&] { return exit_.has_value(); });
    return exit_;
}

VMDSL_DECL std::optional<child_exit> child::ended() const {
    const std::lock_guard lock(mutex_);
    return exit_;
}

VMDSL_DECL child_exit run_program(std::string program, std::vector<std::string> arguments, deadline until) {
    const std::string name = program;
    auto running = child::start({std::move(program), std::move(arguments), {}, {}, 1 << 20});
    if (auto done = running->wait(until)) {
        return *done;
    }
    running->send_signal(SIGKILL);
    auto done = running->wait(deadline::in(std::chrono::seconds(10)));
    child_exit result = done ? *done : child_exit{0, SIGKILL, {}};
    result.output_tail += "\n(" + name + " was killed: it did not end in time)";
    return result;
}

}  // namespace vmdsl
