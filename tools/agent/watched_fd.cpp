// SPDX-License-Identifier: BSL-1.0
#include <sys/epoll.h>

#include <agent/watched_fd.hpp>

namespace vmdsl::agent {

int watched_fd::open(unique_fd fd) {
    close();
    fd_ = static_cast<unique_fd&&>(fd);
    readable_ = writable_ = hung_up_ = muted_ = false;
    return loop_.add(fd_.get(), *this);
}

void watched_fd::close() {
    if (fd_) {
        loop_.remove(fd_.get(), *this);
        fd_.reset();
    }
}

unique_fd watched_fd::release() {
    if (fd_) {
        loop_.remove(fd_.get(), *this);
    }
    return static_cast<unique_fd&&>(fd_);
}

void watched_fd::drained(bool would_block) {
    readable_ = hung_up_ && !would_block;
    if (muted_) {
        muted_ = false;
        loop_.mute(fd_.get(), *this, false);
    }
}

void watched_fd::mute() {
    if (!muted_) {
        muted_ = true;
        loop_.mute(fd_.get(), *this, true);
    }
}

void watched_fd::on_events(std::uint32_t events) {
    constexpr std::uint32_t ends = EPOLLHUP | EPOLLRDHUP | EPOLLERR;
    hung_up_ = hung_up_ || (events & ends) != 0;
    readable_ = readable_ || (events & (EPOLLIN | ends)) != 0;
    writable_ = writable_ || (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0;
    owner_.on_fd_ready();
}

}  // namespace vmdsl::agent
