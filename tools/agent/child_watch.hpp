// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <agent/event_loop.hpp>
#include <agent/fd.hpp>

namespace vmdsl::agent {

/// Takes the ends of child processes.
class child_listener {
public:
    virtual void on_child_exit(int pid, int status) = 0;

protected:
    ~child_listener() = default;
};

/// Reaps the commands, and what they leave behind: the process becomes the parent of its orphaned descendants.
class child_watch final : public event_source {
public:
    child_watch(event_loop& loop, child_listener& listener);
    ~child_watch();

    void on_events(std::uint32_t events) override;

    /// Reaps, without telling anyone, until there is no child left or the time is over.
    void wait_for_all(int milliseconds);

private:
    event_loop& loop_;
    child_listener& listener_;
    unique_fd signals_;
};

}  // namespace vmdsl::agent
