// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>
#include <cstring>

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <agent/small_file.hpp>
#include <agent/spawn.hpp>

namespace vmdsl::agent {

namespace {

rlimit open_files_of_children{0, 0};
bool is_protected = false;

char* copy(std::string_view from) {
    auto* made = static_cast<char*>(std::malloc(from.size() + 1));
    if (made == nullptr) {
        out_of_memory();
    }
    std::memcpy(made, from.data(), from.size());
    made[from.size()] = 0;
    return made;
}

/// Forks straight into the cgroup where the kernel can do that (5.7); otherwise the child has to move itself.
pid_t fork_into(const command_cgroup* cgroup, bool& inside) {
    inside = false;
    if (cgroup != nullptr && *cgroup) {
        clone_args arguments{};
        arguments.flags = CLONE_INTO_CGROUP;
        arguments.exit_signal = SIGCHLD;
        arguments.cgroup = static_cast<__u64>(cgroup->fd());
        const long pid = ::syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid >= 0) {
            inside = true;
            return static_cast<pid_t>(pid);
        }
    }
    return ::fork();
}

[[noreturn]] void give_up(const spawn_request& request, spawn_step step) {
    const int message[2] = {errno, static_cast<int>(step)};
    const ssize_t written = ::write(request.failure, message, sizeof message);
    static_cast<void>(written);
    _exit(127);
}

/// Moves the pipes to 0, 1 and 2. They were made above these numbers, so that none is overwritten before its turn.
void take_streams(const spawn_request& request) {
    const int input = request.input >= 0 ? request.input : ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(input, STDIN_FILENO);
    ::dup2(request.output, STDOUT_FILENO);
    ::dup2(request.errors, STDERR_FILENO);
}

[[noreturn]] void become(spawn_request& request, bool inside_cgroup) {
    if (request.cgroup != nullptr && *request.cgroup && !inside_cgroup) {
        write_kernel_file(join({request.cgroup->path(), "/cgroup.procs"}).c_str(), "0");
    }
    ::setsid();
    if (request.terminal) {
        ::ioctl(request.output, TIOCSCTTY, 0);
    }
    take_streams(request);
    if (is_protected) {
        write_kernel_file("/proc/self/oom_score_adj", "0");
    }
    if (open_files_of_children.rlim_max != 0) {
        ::setrlimit(RLIMIT_NOFILE, &open_files_of_children);
    }
    ::umask(022);
    if (::chdir(request.directory.c_str()) != 0 && (!request.default_directory || ::chdir("/") != 0)) {
        give_up(request, spawn_step::enter_directory);
    }
    restore_signals();
    // The search for the program uses the command's own PATH.
    environ = request.environment.data();
    ::execvp(request.arguments.data()[0], request.arguments.data());
    give_up(request, spawn_step::execute);
}

}  // namespace

string_list::~string_list() {
    for (std::size_t i = 0; i < size_; ++i) {
        std::free(items_[i]);
    }
    std::free(items_);
}

char** string_list::data() {
    if (capacity_ == 0) {
        add("");
        std::free(items_[--size_]);
        items_[size_] = nullptr;
    }
    return items_;
}

void string_list::add(std::string_view item) {
    if (size_ + 2 > capacity_) {
        capacity_ = capacity_ == 0 ? 16 : 2 * capacity_;
        items_ = static_cast<char**>(std::realloc(items_, capacity_ * sizeof(char*)));
        if (items_ == nullptr) {
            out_of_memory();
        }
    }
    items_[size_++] = copy(item);
    items_[size_] = nullptr;
}

void string_list::set_variable(std::string_view item) {
    const std::size_t name = item.find('=') + 1;
    for (std::size_t i = 0; i < size_; ++i) {
        if (std::strncmp(items_[i], item.data(), name) == 0) {
            std::free(items_[i]);
            items_[i] = copy(item);
            return;
        }
    }
    add(item);
}

char** default_environment() noexcept {
    static const char* const variables[] = {"HOME=/root",
                                            "USER=root",
                                            "LOGNAME=root",
                                            "SHELL=/bin/sh",
                                            "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                            "LANG=C.UTF-8",
                                            nullptr};
    return const_cast<char**>(variables);
}

void restore_signals() noexcept {
    for (const int number : {SIGPIPE, SIGTERM, SIGHUP, SIGINT}) {
        ::signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void raise_open_files_limit() noexcept {
    constexpr rlim_t wanted = 65536;
    if (::getrlimit(RLIMIT_NOFILE, &open_files_of_children) != 0) {
        return;
    }
    rlimit raised{wanted, wanted > open_files_of_children.rlim_max ? wanted : open_files_of_children.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) {
        raised = {open_files_of_children.rlim_max, open_files_of_children.rlim_max};
        ::setrlimit(RLIMIT_NOFILE, &raised);
    }
}

void protect_from_out_of_memory_killer() noexcept {
    is_protected = write_kernel_file("/proc/self/oom_score_adj", "-1000") == 0;
}

pid_t spawn(spawn_request& request) {
    bool inside_cgroup = false;
    const pid_t pid = fork_into(request.cgroup, inside_cgroup);
    if (pid == 0) {
        become(request, inside_cgroup);
    }
    return pid;
}

}  // namespace vmdsl::agent
