// SPDX-License-Identifier: BSL-1.0
#include <array>

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <agent/console.hpp>
#include <agent/host_link.hpp>

namespace vmdsl::agent {

namespace {

/// What virtio_console takes in one write; small frames share it.
constexpr std::size_t write_size = std::size_t{32} * 1024;

/// It gives out at most one page per read, so frames are looked at after several.
constexpr int most_reads = 16;

}  // namespace

host_link::host_link(event_loop& loop, unique_fd fd, kind what, std::uint32_t epoch, host_listener& listener)
    : loop_(loop), fd_(static_cast<unique_fd&&>(fd)), kind_(what), listener_(listener), epoch_(epoch) {
    if (const int error = loop_.add(fd_.get(), *this); error != 0) {
        say({"cannot watch the connection to the host: ", error_text(error)});
        ended_ = true;
    }
}

host_link::~host_link() {
    loop_.remove(fd_.get(), *this);
}

void host_link::on_events(std::uint32_t events) {
    if (kind_ == kind::port && (events & EPOLLHUP) != 0) {
        lose_host();
        return;
    }
    readable_ = readable_ || (events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0;
    writable_ = writable_ || (events & (EPOLLOUT | EPOLLERR)) != 0;
    if (!connected_) {
        connected_ = true;
        listener_.on_connected();
    }
}

void host_link::lose_host() {
    if (kind_ == kind::socket) {
        ended_ = true;
        return;
    }
    connected_ = understood_ = readable_ = writable_ = false;
    reader_.reset();
    if (queue_.holding()) {
        queue_.rewind();
    } else {
        queue_.restart(epoch_);
    }
}

void host_link::send(wire::frame_type type, std::uint32_t stream, std::span<const std::byte> payload,
                     wire::channel channel) {
    queue_.push_back({static_cast<std::uint32_t>(payload.size()), stream, epoch_, type, channel}, payload);
}

void host_link::send_first(wire::frame_type type, const fields& payload) {
    const auto bytes = payload.view();
    queue_.push_front({static_cast<std::uint32_t>(bytes.size()), 0, epoch_, type, wire::channel::main}, bytes);
}

void host_link::quiesce() {
    if (!queue_.holding()) {
        send(wire::frame_type::quiesced, 0, std::span<const std::byte>{});
        queue_.hold();
    }
}

bool host_link::pump() {
    flush();
    receive();
    flush();
    return readable_ && queue_.bytes() < largest_backlog;
}

void host_link::receive() {
    // A host that asks and asks without ever reading the answers is not read from until it does.
    if (ended_ || queue_.bytes() >= largest_backlog) {
        return;
    }
    for (int reads = 0; readable_ && reads < most_reads; ++reads) {
        const auto room = reader_.room();
        if (room.empty()) {
            break;
        }
        const ssize_t got = ::read(fd_.get(), room.data(), room.size());
        if (got > 0) {
            reader_.took(static_cast<std::size_t>(got));
        } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
            take_frames();
            lose_host();
            return;
        } else if (errno == EAGAIN) {
            readable_ = false;
        }
    }
    take_frames();
}

void host_link::take_frames() {
    wire::header header;
    std::span<const std::byte> payload;
    bool junk_told = false;
    for (auto found = reader_.next(header, payload); found != frame_reader::found::nothing;
         found = reader_.next(header, payload)) {
        if (found == frame_reader::found::frame) {
            understood_ = understood_ || header.epoch == epoch_;
            listener_.on_frame(header, payload);
        } else if (found == frame_reader::found::junk && understood_ && !junk_told) {
            junk_told = true;
            listener_.on_junk();
        }
    }
}

void host_link::flush() {
    std::array<std::byte, write_size> together;
    while (writable_ && !ended_) {
        const std::size_t size = queue_.gather(together);
        if (size == 0) {
            return;
        }
        const ssize_t done = ::write(fd_.get(), together.data(), size);
        if (done >= 0) {
            queue_.written(static_cast<std::size_t>(done));
            continue;
        }
        if (errno == EINTR) {
            continue;
        }
        writable_ = false;
        if (errno != EAGAIN) {
            lose_host();
        }
    }
}

}  // namespace vmdsl::agent
