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
    const bool systemd = systemd_runs();
    force_at_ = monotonic_nanoseconds() + (systemd ? systemd_patience : init_patience);
    helper_ = systemd ? start_systemctl(action) : -1;
    if (helper_ < 0) {
        signal_init();
    }
}

/// systemd's signals for the two targets, or those that busybox's init and our own one take.
void power_switch::signal_init() const {
    const bool off = action_ == wire::power::off;
    ::kill(1, systemd_runs() ? SIGRTMIN + (off ? 4 : 5) : off ? SIGUSR2 : SIGTERM);
}

void power_switch::on_child_exit(int pid, int status) {
    if (pid != helper_) {
        return;
    }
    helper_ = -1;
    if (status != 0) {
        signal_init();
    }
}

int power_switch::milliseconds_left() const noexcept {
    if (force_at_ == 0) {
        return -1;
    }
    const std::uint64_t now = monotonic_nanoseconds();
    return now >= force_at_ ? 0 : static_cast<int>((force_at_ - now) / nanoseconds_per_millisecond) + 1;
}

void power_switch::on_time() {
    if (milliseconds_left() != 0) {
        return;
    }
    force_at_ = 0;
    say({"the init system has not ended the machine; doing it now"});
    ::sync();
    ::reboot(action_ == wire::power::off ? RB_POWER_OFF : RB_AUTOBOOT);
    say({"reboot(2): ", error_text(errno)});
}

}  // namespace vmdsl::agent
