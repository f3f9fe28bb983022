// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/guardian.hpp>
#include <vmdsl/process/run_processes.hpp>
#include <vmdsl/process/scratch_dir.hpp>

namespace vmdsl {

namespace detail {

/// The writing end first: that is the one we keep of a guardian's life, and give away of its report.
inline std::pair<unique_fd, unique_fd> make_guardian_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw could_not_run(std::string("can't make a pipe: ") + std::strerror(errno));
    }
    return {unique_fd(ends[1]), unique_fd(ends[0])};
}

/// Reads to the end of the pipe.
inline std::string read_guardian_report(int fd) {
    std::string text;
    char buffer[512];
    for (;;) {
        const auto n = ::read(fd, buffer, sizeof buffer);
        if (n > 0) {
            text.append(buffer, static_cast<std::size_t>(n));
        } else if (n == 0 || errno != EINTR) {
            return text;
        }
    }
}

inline void write_guardian_report(const unique_fd& report, char mark, std::string_view text) noexcept {
    std::string line(1, mark);
    line += text;
    line += '\n';
    // Nobody reads any more where the supervisor died in the meantime: then its end is what counts, and comes next.
    [[maybe_unused]] const auto written = ::write(report.get(), line.data(), line.size());
}

inline bool has_ended(int life) noexcept {
    pollfd entry{life, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1 && (entry.revents & POLLHUP) != 0;
}

/// Returns whether the supervisor said before its end that it has ended the run's processes itself.
inline bool wait_for_end_of(int life) noexcept {
    bool orderly = false;
    char byte = 0;
    for (;;) {
        const auto n = ::read(life, &byte, 1);
        orderly = orderly || n > 0;
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return orderly;
        }
    }
}

inline void leave_signals_to_the_supervisor() noexcept {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP}) {
        ::signal(number, SIG_IGN);
    }
}

VMDSL_DECL int watch_over(const guarded_run& run, unique_fd life, unique_fd report) {
    leave_signals_to_the_supervisor();
    ::prctl(PR_SET_NAME, "vmdsl-guardian");
    try {
        const scratch_dir scratch(run.base, run.id, run.keep);
        [[maybe_unused]] const int moved = ::chdir("/");  // holds no folder that somebody may want to unmount
        write_guardian_report(report, '+', scratch.path().string());
        report.reset();
        sweep_scratch(run.base, [&] { return has_ended(life.get()); });
        const bool orderly = wait_for_end_of(life.get());
        if (!end_run_processes(run.id, end_of_run_limit, orderly ? 1 : 3)) {
            return 1;
        }
    } catch (const std::exception& problem) {
        write_guardian_report(report, '-', problem.what());
        return 1;
    }
    return 0;
}

inline int guardian_number(std::string_view text) {
    int value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

VMDSL_DECL int guardian_main(const std::vector<std::string_view>& arguments) {
    if (arguments.size() != 5) {
        return 64;
    }
    guarded_run run{std::string(arguments[0]), std::string(arguments[1]), arguments[2] == "keep"};
    unique_fd life(guardian_number(arguments[3]));
    unique_fd report(guardian_number(arguments[4]));
    return watch_over(run, std::move(life), std::move(report));
}

}  // namespace detail

VMDSL_DECL guardian::guardian(guarded_run run) : run_(std::move(run)) {
    start();
}

VMDSL_DECL guardian::~guardian() {
    finish(false);
}

VMDSL_DECL void guardian::start() {
    auto [life_write, life_read] = detail::make_guardian_pipe();
    auto [report_write, report_read] = detail::make_guardian_pipe();
    detail::respawn_plan plan;
    plan.arguments = {"vmdsl-guardian",
                      std::string(detail::guardian_argument),
                      run_.id,
                      run_.base.string(),
                      run_.keep ? "keep" : "remove",
                      std::to_string(life_read.get()),
                      std::to_string(report_write.get())};
    plan.environment = detail::environment_with({});
    plan.inherited = {life_read.get(), report_write.get()};
    plan.own_session = true;
    plan.no_input = true;
    plan.only_inherited = true;
    pid_ = detail::respawn(plan);
    life_ = std::move(life_write);
    life_read.reset();
    report_write.reset();
    const auto report = detail::read_guardian_report(report_read.get());
    if (!report.starts_with('+') || !report.ends_with('\n')) {
        life_.reset();
        ::waitpid(std::exchange(pid_, -1), nullptr, 0);
        throw could_not_run(report.size() > 2 ? report.substr(1, report.size() - 2)
                                              : "the process that cleans up after a run could not be started");
    }
    scratch_ = report.substr(1, report.size() - 2);
    scratch_lock_.reset(detail::make_locked_folder(scratch_));
}

VMDSL_DECL void guardian::replace() {
    life_.reset();
    pid_ = -1;
    start();
}

VMDSL_DECL bool guardian::finish(bool processes_ended) noexcept {
    if (std::exchange(finished_, true)) {
        return true;
    }
    if (processes_ended && life_) {
        [[maybe_unused]] const auto written = ::write(life_.get(), "e", 1);
    }
    scratch_lock_.reset();
    life_.reset();
    int status = 0;
    const pid_t pid = std::exchange(pid_, -1);
    if (pid > 0 && ::waitpid(pid, &status, 0) == pid && WIFEXITED(status)) {
        return WEXITSTATUS(status) == 0 && (run_.keep || ::access(scratch_.c_str(), F_OK) != 0);
    }
    try {
        return detail::end_run_processes(run_.id, detail::end_of_run_limit) &&
               (run_.keep || detail::remove_tree(scratch_));
    } catch (...) {
        return false;  // out of memory
    }
}

}  // namespace vmdsl
