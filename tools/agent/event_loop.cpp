// SPDX-License-Identifier: BSL-1.0
#include <cstddef>

#include <errno.h>

#include <agent/event_loop.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::uint32_t everything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;

}  // namespace

event_loop::event_loop() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
}

int event_loop::add(int fd, event_source& source) {
    epoll_event event{};
    event.events = everything;
    event.data.ptr = &source;
    return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : errno;
}

void event_loop::mute(int fd, event_source& source, bool muted) {
    epoll_event event{};
    event.events = muted ? static_cast<std::uint32_t>(EPOLLET) : everything;
    event.data.ptr = &source;
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void event_loop::remove(int fd, event_source& source) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    // It may still stand in the batch that is being worked off.
    for (int i = 0; i < batch_size_; ++i) {
        auto& waiting = batch_[static_cast<std::size_t>(i)];
        if (waiting.data.ptr == &source) {
            waiting.data.ptr = nullptr;
        }
    }
}

void event_loop::wait(int milliseconds) {
    batch_size_ = ::epoll_wait(epoll_.get(), batch_.data(), static_cast<int>(batch_.size()), milliseconds);
    for (int i = 0; i < batch_size_; ++i) {
        const auto event = batch_[static_cast<std::size_t>(i)];
        if (event.data.ptr != nullptr) {
            static_cast<event_source*>(event.data.ptr)->on_events(event.events);
        }
    }
    batch_size_ = 0;
}

}  // namespace vmdsl::agent
