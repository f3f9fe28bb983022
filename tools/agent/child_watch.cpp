// SPDX-License-Identifier: BSL-1.0
#include <cstdint>

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <agent/child_watch.hpp>
#include <agent/clock.hpp>

namespace vmdsl::agent {

child_watch::child_watch(event_loop& loop, child_listener& listener) : loop_(loop), listener_(listener) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    ::sigprocmask(SIG_SETMASK, &child, nullptr);
    signals_ = unique_fd{::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK)};
    loop_.add(signals_.get(), *this);
}

child_watch::~child_watch() {
    loop_.remove(signals_.get(), *this);
}

void child_watch::on_events(std::uint32_t /*events*/) {
    signalfd_siginfo gone;
    while (::read(signals_.get(), &gone, sizeof gone) > 0) {
    }
    int status = 0;
    for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
        listener_.on_child_exit(pid, status);
    }
}

void child_watch::wait_for_all(int milliseconds) {
    const std::uint64_t end =
        monotonic_nanoseconds() + static_cast<std::uint64_t>(milliseconds) * nanoseconds_per_millisecond;
    while (true) {
        const pid_t reaped = ::waitpid(-1, nullptr, WNOHANG);
        if (reaped > 0) {
            continue;
        }
        const std::uint64_t now = monotonic_nanoseconds();
        if (reaped < 0 || now >= end) {
            return;
        }
        pollfd waiting{signals_.get(), POLLIN, 0};
        ::poll(&waiting, 1, static_cast<int>((end - now) / nanoseconds_per_millisecond) + 1);
        signalfd_siginfo gone;
        while (::read(signals_.get(), &gone, sizeof gone) > 0) {
        }
    }
}

}  // namespace vmdsl::agent
