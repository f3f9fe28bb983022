// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <vmdsl/guest/wire.hpp>

namespace vmdsl::agent {

/// Turns the machine off, or on again.
class power_switch {
public:
    /// Syncs, then asks the init system.
    void request(wire::power action);

    /// systemctl, say, has ended. Where it failed the init process is asked directly.
    void on_child_exit(int pid, int status);

    /// Milliseconds until `on_time` has something to do, -1: never.
    [[nodiscard]] int milliseconds_left() const noexcept;
    /// Does it by force where the init system has not come to it.
    void on_time();

private:
    void signal_init() const;

    wire::power action_ = wire::power::off;
    int helper_ = -1;
    std::uint64_t force_at_ = 0;
};

}  // namespace vmdsl::agent
