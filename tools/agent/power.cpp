// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <signal.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/clock.hpp>
#include <agent/console.hpp>
#include <agent/power.hpp>
#include <agent/spawn.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

namespace {

/// systemd gives each service 90 s to stop by default; other init systems are small.
constexpr std::uint64_t systemd_patience = 120 * nanoseconds_per_second;
constexpr std::uint64_t init_patience = 15 * nanoseconds_per_second;
constexpr std::uint64_t ask_again_after = 1 * nanoseconds_per_second;

bool systemd_runs() {
    struct stat status {};
    return ::lstat("/run/systemd/system", &status) == 0;
}

pid_t start_systemctl(wire::power action) {
    const char* const argv[] = {"systemctl", action == wire::power::off ? "poweroff" : "reboot", nullptr};
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setsid();
        restore_signals();
        ::execvpe(argv[0], const_cast<char**>(argv), default_environment());
        _exit(127);
    }
    return pid;
}

}  // namespace

void power_switch::request(wire::power action) {
    ::sync();
    action_ = action;
    asked_ = true;
    force_at_ = monotonic_nanoseconds() + init_patience;
    ask();
}

void power_switch::ask() {
    const bool off = action_ == wire::power::off;
    const std::uint64_t now = monotonic_nanoseconds();
    ask_at_ = now + ask_again_after;
    if (!systemd_runs()) {
        // What busybox's init and our own one take.
        ::kill(1, off ? SIGUSR2 : SIGTERM);
        return;
    }
    // One request is enough here: what follows takes as long as it takes.
    ask_at_ = force_at_ = now + systemd_patience;
    if (!systemctl_failed_) {
        systemctl_ = start_systemctl(action_);
    }
    if (systemctl_ < 0) {
        ::kill(1, SIGRTMIN + (off ? 4 : 5));
    }
}

void power_switch::on_child_exit(int pid, int status) {
    if (pid != systemctl_) {
        return;
    }
    systemctl_ = -1;
    systemctl_failed_ = status != 0;
    if (systemctl_failed_) {
        ask();
    }
}

int power_switch::milliseconds_left() const noexcept {
    if (!asked_) {
        return -1;
    }
    const std::uint64_t next = ask_at_ < force_at_ ? ask_at_ : force_at_;
    const std::uint64_t now = monotonic_nanoseconds();
    return now >= next ? 0 : static_cast<int>((next - now) / nanoseconds_per_millisecond) + 1;
}

void power_switch::on_time() {
    if (milliseconds_left() != 0) {
        return;
    }
    if (monotonic_nanoseconds() >= force_at_) {
        force();
        return;
    }
    ask();
}

void power_switch::force() {
    asked_ = false;
    say({"the init system has not ended the machine; doing it now"});
    ::sync();
    ::reboot(action_ == wire::power::off ? RB_POWER_OFF : RB_AUTOBOOT);
    say({"reboot(2): ", error_text(errno)});
}

}  // namespace vmdsl::agent
