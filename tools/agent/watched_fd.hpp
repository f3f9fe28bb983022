// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <agent/event_loop.hpp>
#include <agent/fd.hpp>

namespace vmdsl::agent {

/// Is told that one of its descriptors became readable or writable.
class fd_owner {
public:
    virtual void on_fd_ready() = 0;

protected:
    ~fd_owner() = default;
};

/// A descriptor in the event loop that remembers whether it can be read and written, since epoll says so only once.
class watched_fd final : public event_source {
public:
    watched_fd(event_loop& loop, fd_owner& owner) noexcept : loop_(loop), owner_(owner) {}
    ~watched_fd() { close(); }

    /// 0, or errno.
    int open(unique_fd fd);
    void close();
    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(fd_); }
    [[nodiscard]] int get() const noexcept { return fd_.get(); }
    /// Gives the descriptor away.
    [[nodiscard]] unique_fd release();

    [[nodiscard]] bool readable() const noexcept { return readable_; }
    [[nodiscard]] bool writable() const noexcept { return writable_; }
    [[nodiscard]] bool hung_up() const noexcept { return hung_up_; }
    /// A read said EAGAIN, or brought less than was asked for. Where the other side has hung up, the end is still to be
    /// read, and no event will say so again.
    void drained(bool would_block);
    /// It will be read in a moment, whatever comes: be woken up by a hang-up only, until `drained`.
    void mute();
    void filled() noexcept { writable_ = false; }

    void on_events(std::uint32_t events) override;

private:
    event_loop& loop_;
    fd_owner& owner_;
    unique_fd fd_;
    bool readable_ = false;
    bool writable_ = false;
    bool hung_up_ = false;
    bool muted_ = false;
};

}  // namespace vmdsl::agent
