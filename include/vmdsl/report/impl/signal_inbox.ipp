// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/report/signal_inbox.hpp>

namespace vmdsl::detail {

VMDSL_DECL signal_inbox::signal_inbox() {
    ::signal(SIGCHLD, SIG_DFL);  // a parent that ignored it would have our children reaped by the kernel
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) {
        ::sigaddset(&set, number);
    }
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) {
        throw could_not_run(std::string("can't wait for signals: ") + std::strerror(errno));
    }
}

VMDSL_DECL int signal_inbox::next() const noexcept {
    signalfd_siginfo info{};
    const bool got_one = ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
    return got_one ? static_cast<int>(info.ssi_signo) : 0;
}

VMDSL_DECL std::string signal_name(int number) {
    const char* name = ::sigabbrev_np(number);
    const char* description = ::sigdescr_np(number);
    return (name == nullptr ? "signal " + std::to_string(number) : std::string("SIG") + name) +
           (description == nullptr ? "" : std::string(" (") + description + ")");
}

VMDSL_DECL std::string describe_end(int status) {
    return WIFSIGNALED(status) ? "was ended by " + signal_name(WTERMSIG(status))
                               : "exited with code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace vmdsl::detail
