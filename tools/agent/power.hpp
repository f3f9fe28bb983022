// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <vmdsl/guest/wire.hpp>

namespace vmdsl::agent {

/// Turns the machine off, or on again.
class power_switch {
public:
    /// Syncs, then asks the init system, and asks again as long as nothing comes of it: it may not be up yet.
    void request(wire::power action);

    /// Where this was systemctl and it failed, systemd is asked by signals from now on.
    void on_child_exit(int pid, int status);

    /// Milliseconds until `on_time` has something to do, -1: never.
    [[nodiscard]] int milliseconds_left() const noexcept;
    /// Asks again, or ends the machine by force where the init system has not come to it.
    void on_time();

private:
    void ask();
    void force();

    wire::power action_ = wire::power::off;
    bool asked_ = false;
    bool systemctl_failed_ = false;
    int systemctl_ = -1;
    std::uint64_t ask_at_ = 0;
    std::uint64_t force_at_ = 0;
};

}  // namespace vmdsl::agent
