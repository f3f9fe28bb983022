// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/run_processes.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl::detail {

VMDSL_DECL bool carries_run_id(std::string_view environment, std::string_view run_id) noexcept {
    const std::string_view name = run_id_variable;
    while (!environment.empty()) {
        const auto entry = environment.substr(0, environment.find('\0'));
        environment.remove_prefix(std::min(entry.size() + 1, environment.size()));
        if (!entry.starts_with(name) || entry.size() == name.size() || entry[name.size()] != '=') {
            continue;
        }
        auto ids = entry.substr(name.size() + 1);
        while (!ids.empty()) {
            const auto id = ids.substr(0, ids.find(':'));
            if (id == run_id) {
                return true;
            }
            ids.remove_prefix(std::min(id.size() + 1, ids.size()));
        }
    }
    return false;
}

inline std::string read_proc_file(const std::string& path) {
    std::string text;
    const unique_fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    char buffer[16384];
    for (ssize_t n = 0; fd && (n = ::read(fd.get(), buffer, sizeof buffer)) > 0;) {
        text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
}

/// One look at all processes of this user.
struct run_process_scan {
    std::vector<unique_fd> found;  ///< pidfds
    bool unsure = false;           ///< A process was in the middle of an exec: its environment can't be seen.

    explicit run_process_scan(std::string_view run_id) {
        const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
        while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
            const std::string_view name = entry->d_name;
            pid_t pid = 0;
            const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
            if (parsed.ec == std::errc{} && parsed.ptr == name.data() + name.size() && pid != ::getpid()) {
                look_at(pid, run_id);
            }
        }
    }

private:
    void look_at(pid_t pid, std::string_view run_id) {
        const auto folder = "/proc/" + std::to_string(pid);
        struct stat owner {};
        if (::stat(folder.c_str(), &owner) != 0 || owner.st_uid != ::geteuid()) {
            return;
        }
        // First the descriptor, then the environment: should the number be reused in between, the descriptor still
        // means the process that ended, and killing that one does nothing.
        unique_fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!process) {
            return;
        }
        const auto environment = read_proc_file(folder + "/environ");
        if (carries_run_id(environment, run_id)) {
            found.push_back(std::move(process));
        } else if (environment.empty()) {
            unsure = unsure || may_have_environment(folder);
        }
    }

    /// Whether a process that showed no environment may have one: its bounds are not set yet, or were set after we
    /// looked. False for one that really has none, for zombies, and for the kernel's own threads.
    static bool may_have_environment(const std::string& folder) {
        char target[8];
        if (::readlink((folder + "/exe").c_str(), target, sizeof target) < 0) {
            return false;
        }
        const auto [start, end] = environment_bounds(read_proc_file(folder + "/stat"));
        return end == 0 || start != end;
    }

    /// The 50th and 51st entry of /proc/PID/stat. The second one, the name, stands in brackets and may hold anything.
    static std::pair<std::uint64_t, std::uint64_t> environment_bounds(std::string_view stat) {
        stat.remove_prefix(std::min(stat.rfind(')'), stat.size()));
        std::array<std::uint64_t, 52> entries{};
        for (std::size_t number = 2; number < entries.size() && !stat.empty(); ++number) {
            const auto entry = stat.substr(0, stat.find(' '));
            std::from_chars(entry.data(), entry.data() + entry.size(), entries[number]);
            stat.remove_prefix(std::min(entry.size() + 1, stat.size()));
        }
        return {entries[50], entries[51]};
    }
};

inline void kill_and_wait(const std::vector<unique_fd>& processes, std::chrono::steady_clock::time_point until) {
    for (const auto& process : processes) {
        ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
    }
    for (const auto& process : processes) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd entry{process.get(), POLLIN, 0};
        ::poll(&entry, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
    }
}

VMDSL_DECL bool end_run_processes(std::string_view run_id, std::chrono::milliseconds limit, int clean_looks) {
    const auto until = std::chrono::steady_clock::now() + limit;
    for (int clean = 0;;) {
        const run_process_scan scan(run_id);
        clean = scan.found.empty() && !scan.unsure ? clean + 1 : 0;
        if (clean >= clean_looks) {
            return true;
        }
        if (std::chrono::steady_clock::now() >= until) {
            return false;
        }
        kill_and_wait(scan.found, until);
        if (scan.found.empty()) {
            ::poll(nullptr, 0, 15);  // for what happens behind our back there is nothing to wait on
        }
    }
}

VMDSL_DECL std::optional<std::vector<pid_t>> own_children() {
    const auto path = "/proc/self/task/" + std::to_string(::syscall(SYS_gettid)) + "/children";
    if (::access(path.c_str(), R_OK) != 0) {
        return std::nullopt;
    }
    std::vector<pid_t> children;
    const auto text = read_proc_file(path);
    for (std::string_view rest = text; !rest.empty();) {
        const auto number = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(number.size() + 1, rest.size()));
        if (pid_t pid = 0; std::from_chars(number.data(), number.data() + number.size(), pid).ec == std::errc{}) {
            children.push_back(pid);
        }
    }
    return children;
}

inline std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (const auto& text : texts) {
        result.push_back(const_cast<char*>(text.c_str()));
    }
    result.push_back(nullptr);
    return result;
}

/// What happens between fork and exec: only async-signal-safe calls.
struct respawn_child {
    const respawn_plan& plan;
    char* const* arguments;
    char* const* environment;
    pid_t parent;
    int null_input;

    [[nodiscard]] bool prepare() const noexcept {
        if (plan.own_session) {
            ::setsid();
        } else if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != parent) {
            return false;  // the parent may have died before it would have been noticed
        }
        if (plan.own_group && ::setpgid(0, 0) != 0) {
            return false;
        }
        if (plan.no_input && ::dup2(null_input, 0) < 0) {
            return false;
        }
        if (plan.only_inherited && ::syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) != 0) {
            return false;
        }
        for (const int fd : plan.inherited) {
            if (::fcntl(fd, F_SETFD, 0) != 0) {
                return false;
            }
        }
        sigset_t none;
        ::sigemptyset(&none);
        ::signal(SIGPIPE, SIG_DFL);
        return ::sigprocmask(SIG_SETMASK, &none, nullptr) == 0;
    }

    [[noreturn]] void run() const noexcept {
        if (prepare()) {
            ::execve(plan.program.c_str(), arguments, environment);
        }
        ::_exit(127);
    }
};

VMDSL_DECL pid_t respawn(const respawn_plan& plan) {
    const auto arguments = pointers_to(plan.arguments);
    const auto environment = pointers_to(plan.environment);
    const unique_fd null_input(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const respawn_child child{plan, arguments.data(), environment.data(), ::getpid(), null_input.get()};
    const pid_t pid = ::fork();
    if (pid == 0) {
        child.run();
    }
    if (pid < 0) {
        throw could_not_run(std::string("can't start another process: ") + std::strerror(errno));
    }
    return pid;
}

VMDSL_DECL std::vector<std::string> environment_with(const std::vector<std::string>& changes) {
    std::vector<std::string> result = changes;
    const auto replaced = [&](std::string_view entry) {
        const auto name = entry.substr(0, entry.find('=') + 1);
        return std::any_of(changes.begin(), changes.end(),
                           [&](const auto& change) { return change.starts_with(name); });
    };
    for (char** entry = ::environ; entry != nullptr && *entry != nullptr; ++entry) {
        if (!replaced(*entry)) {
            result.emplace_back(*entry);
        }
    }
    return result;
}

}  // namespace vmdsl::detail
