// SPDX-License-Identifier: BSL-1.0
#include <cstdint>
#include <cstring>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <agent/agent.hpp>
#include <agent/clock.hpp>
#include <agent/console.hpp>
#include <agent/fd.hpp>
#include <agent/init.hpp>
#include <agent/kernel_arguments.hpp>
#include <agent/modules.hpp>
#include <agent/root.hpp>
#include <agent/small_file.hpp>

namespace vmdsl::agent {

namespace {

struct started_agent {
    pid_t pid = -1;
    unique_fd configured;  ///< A byte comes when the host has configured the machine; end of file when the agent ended.
};

void unblock_signals() {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The kernel gave us no console where the RAM disk lacks the device file.
void open_standard_streams() {
    while (true) {
        const int fd = ::open("/dev/console", O_RDWR | O_NOCTTY);
        if (fd < 0) {
            return;
        }
        if (fd > STDERR_FILENO) {
            ::close(fd);
            return;
        }
    }
}

/// The agent opens the console when it has something to say. Its own streams would keep the initial RAM disk's device.
void detach_from_console() {
    const unique_fd nothing{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        ::dup2(nothing.get(), fd);
    }
}

/// systemd spares processes whose name begins with '@' until the very end of a shutdown. The new name is written over
/// the strings of argv and environ, which lie one after the other; the kernel shows what it finds there.
void rename_process(char** argv) {
    constexpr std::string_view name = "@vmdsl-agent";
    char* end = argv[0] + strlen(argv[0]);
    for (char** list : {argv, environ}) {
        for (char** item = list; *item != nullptr; ++item) {
            if (*item == end + 1 || item == argv) {
                end = *item + strlen(*item);
            }
        }
    }
    const auto room = static_cast<std::size_t>(end - argv[0]);
    std::memset(argv[0], 0, room);
    std::memcpy(argv[0], name.data(), name.size() < room ? name.size() : room);
    ::prctl(PR_SET_NAME, "vmdsl-agent");
}

started_agent start_agent(char** argv) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        fail({"cannot make a pipe: ", error_text(errno)});
    }
    started_agent agent{-1, unique_fd{ends[0]}};
    unique_fd tell{ends[1]};
    agent.pid = ::fork();
    if (agent.pid < 0) {
        fail({"cannot start the agent: ", error_text(errno)});
    }
    if (agent.pid == 0) {
        ::setsid();
        agent.configured.reset();
        detach_from_console();
        rename_process(argv);
        _exit(serve_port(static_cast<unique_fd&&>(tell)));
    }
    return agent;
}

void wait_until_configured(const started_agent& agent, unsigned seconds) {
    const std::uint64_t end = monotonic_nanoseconds() + seconds * nanoseconds_per_second;
    pollfd waited{agent.configured.get(), POLLIN, 0};
    while (true) {
        const std::uint64_t now = monotonic_nanoseconds();
        const auto left = now < end ? (end - now) / nanoseconds_per_millisecond : 0;
        const int ready = ::poll(&waited, 1, static_cast<int>(left));
        if (ready == 0) {
            say({"no host has configured this machine within ", digits{seconds}, " s; going on without"});
            return;
        }
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        char byte;
        if (::read(agent.configured.get(), &byte, 1) != 1) {
            fail({"the agent has ended before the machine was configured"});
        }
        return;
    }
}

[[noreturn]] void become_init_of_root(char** argv) {
    unblock_signals();
    char path[] = "/sbin/init";
    argv[0] = path;
    ::execve(path, argv, environ);
    fail({"cannot execute /sbin/init of the root disk: ", error_text(errno)});
}

/// What udev would do, for programs that expect it.
void finish_device_folder() {
    ::symlink("/proc/self/fd", "/dev/fd");
    ::symlink("/proc/self/fd/0", "/dev/stdin");
    ::symlink("/proc/self/fd/1", "/dev/stdout");
    ::symlink("/proc/self/fd/2", "/dev/stderr");
    ::mkdir("/dev/shm", 01777);
    ::mount("shm", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
    ::mkdir("/tmp", 01777);
    ::mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777");
}

pid_t run_start_program() {
    constexpr const char* path = "/etc/vmdsl/start";
    if (::access(path, X_OK) != 0) {
        return -1;
    }
    const pid_t pid = ::fork();
    if (pid != 0) {
        return pid;
    }
    unblock_signals();
    ::setsid();
    const char* argv[] = {path, nullptr};
    const char* environment[] = {"HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                 nullptr};
    ::execve(path, const_cast<char**>(argv), const_cast<char**>(environment));
    say({path, ": ", error_text(errno)});
    _exit(127);
}

void reap(pid_t agent, pid_t start_program) {
    int status = 0;
    for (pid_t pid = ::waitpid(-1, &status, WNOHANG); pid > 0; pid = ::waitpid(-1, &status, WNOHANG)) {
        if (pid == agent) {
            fail({"the agent has ended"});
        }
        if (pid == start_program && status != 0) {
            say({"/etc/vmdsl/start ended with status ",
                 digits{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)}});
        }
    }
}

[[noreturn]] void stop_machine(unsigned action) {
    ::sync();
    ::reboot(static_cast<int>(action));
    fail({"reboot(2): ", error_text(errno)});
}

/// Process 1 for as long as the machine runs. The signals are those that busybox's init takes.
[[noreturn]] void stay(pid_t agent, const sigset_t& signals) {
    finish_device_folder();
    const pid_t start_program = run_start_program();
    while (true) {
        switch (::sigwaitinfo(&signals, nullptr)) {
            case SIGCHLD:
                reap(agent, start_program);
                break;
            case SIGUSR1:
                stop_machine(RB_HALT_SYSTEM);
            case SIGUSR2:
                stop_machine(RB_POWER_OFF);
            case SIGTERM:
            case SIGINT:
                stop_machine(RB_AUTOBOOT);
            default:
                break;
        }
    }
}

sigset_t init_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGCHLD, SIGUSR1, SIGUSR2, SIGTERM, SIGINT}) {
        sigaddset(&signals, number);
    }
    return signals;
}

}  // namespace

void run_as_init(char** argv) {
    use_console();
    mount_kernel_file_systems();
    open_standard_streams();
    const auto arguments = parse_kernel_arguments(read_small_file("/proc/cmdline"));
    load_modules("/modules/boot.list");
    const text root_disk = find_disk("root");
    if (!root_disk.empty()) {
        load_modules("/modules/root.list");
        switch_to_root(root_disk.c_str(), arguments.volatile_root);
    }
    mount_cgroups();
    const sigset_t signals = init_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const auto agent = start_agent(argv);
    wait_until_configured(agent, arguments.configure_timeout_seconds);
    if (!root_disk.empty()) {
        become_init_of_root(argv);
    }
    ::reboot(RB_DISABLE_CAD);
    stay(agent.pid, signals);
}

}  // namespace vmdsl::agent
