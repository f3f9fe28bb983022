// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>

#include <sys/epoll.h>

#include <agent/fd.hpp>

namespace vmdsl::agent {

/// Something whose file descriptor is watched.
class event_source {
public:
    event_source(const event_source&) = delete;
    event_source& operator=(const event_source&) = delete;

    virtual void on_events(std::uint32_t events) = 0;

protected:
    event_source() = default;
    ~event_source() = default;
};

/// epoll, edge-triggered throughout: a source is told once that something changed and remembers it, so that nobody has
/// to be unregistered while flow control holds it back, and a port without a host never spins.
class event_loop {
public:
    event_loop();

    /// 0, or errno. The source has to be removed before it or its descriptor ends.
    int add(int fd, event_source& source);
    void remove(int fd, event_source& source);
    /// From now on the source is told of a hang-up only, or of everything again; of what is true then, at once.
    void mute(int fd, event_source& source, bool muted);
    /// Waits at most so many milliseconds (-1: for ever) and tells the sources.
    void wait(int milliseconds);

private:
    unique_fd epoll_;
    std::array<epoll_event, 64> batch_{};
    int batch_size_ = 0;
};

}  // namespace vmdsl::agent
