// SPDX-License-Identifier: BSL-1.0
#include <cstring>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <agent/dial.hpp>
#include <agent/session.hpp>

namespace vmdsl::agent {

namespace {

bool parse_unix_address(std::string_view path, sockaddr_storage& address, socklen_t& size) {
    sockaddr_un to{};
    if (path.empty() || path.size() >= sizeof to.sun_path || has_zero_byte(path)) {
        return false;
    }
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    std::memcpy(&address, &to, sizeof to);
    size = sizeof to;
    return true;
}

bool parse_inet_address(std::string_view numeric, std::uint16_t port, sockaddr_storage& address, socklen_t& size) {
    const text terminated{numeric};
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    if (::inet_pton(AF_INET, terminated.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&address, &v4, sizeof v4);
        size = sizeof v4;
        return true;
    }
    if (::inet_pton(AF_INET6, terminated.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&address, &v6, sizeof v6);
        size = sizeof v6;
        return true;
    }
    return false;
}

}  // namespace

dialled_stream::dialled_stream(session& owner, std::uint32_t id) noexcept
    : stream(owner, id), socket_(owner.loop(), *this) {
}

bool dialled_stream::parse(std::span<const std::byte> payload, sockaddr_storage& address, socklen_t& size) {
    const auto network = wire::find_field(payload, wire::tag::network).text();
    const auto where = wire::find_field(payload, wire::tag::address).text();
    const auto port = wire::find_field(payload, wire::tag::port).number();
    datagrams_ = network == "udp";
    if (network == "unix") {
        name_ = join({"unix ", where});
        return parse_unix_address(where, address, size);
    }
    name_ = join({network, " ", where, " port ", digits{port}});
    return (network == "tcp" || datagrams_) && port > 0 && port <= 0xffff &&
           parse_inet_address(where, static_cast<std::uint16_t>(port), address, size);
}

void dialled_stream::open(std::span<const std::byte> payload) {
    sockaddr_storage address{};
    socklen_t size = 0;
    if (!parse(payload, address, size)) {
        fail(EINVAL, name_);
        return;
    }
    unique_fd made{
        ::socket(address.ss_family, (datagrams_ ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!made) {
        fail(errno, name_);
        return;
    }
    if (address.ss_family != AF_UNIX && !datagrams_) {
        const int on = 1;
        ::setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    const int result = ::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), size);
    if (result != 0 && errno != EINPROGRESS) {
        fail(errno, name_);
        return;
    }
    if (const int error = socket_.open(static_cast<unique_fd&&>(made)); error != 0) {
        fail(error, name_);
        return;
    }
    if (result == 0) {
        connected_ = true;
        opened({});
    }
}

void dialled_stream::check_connected() {
    if (!socket_.writable()) {
        return;
    }
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
        fail(error, name_);
        return;
    }
    connected_ = true;
    opened({});
}

step_result dialled_stream::step() {
    if (!connected_) {
        check_connected();
    }
    if (!connected_ || finished()) {
        return step_result::idle;
    }
    send_out();
    const auto result = receive();
    if (!finished() && in_done_ && out_done_ && !datagrams_) {
        finish({});
    }
    return finished() ? step_result::idle : result;
}

void dialled_stream::on_data(std::span<const std::byte> bytes) {
    if (datagrams_) {
        // What can't be sent now is lost, as datagrams are.
        const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        static_cast<void>(sent);
        consumed(bytes.size());
        return;
    }
    if (out_done_) {
        consumed(bytes.size());
        return;
    }
    bytes_.append(bytes);
    need_step();
}

void dialled_stream::on_end() {
    out_ending_ = true;
    need_step();
}

void dialled_stream::send_out() {
    while (!out_done_ && socket_.writable() && !bytes_.empty()) {
        const auto bytes = bytes_.view();
        const ssize_t done = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (done >= 0) {
            bytes_.drop(static_cast<std::size_t>(done));
            consumed(static_cast<std::size_t>(done));
        } else if (errno == EAGAIN) {
            socket_.filled();
        } else if (errno != EINTR) {
            // The other side takes no more. What it has said may still be waiting.
            consumed(bytes_.size());
            bytes_.drop(bytes_.size());
            out_done_ = true;
        }
    }
    if (out_ending_ && bytes_.empty() && !out_done_ && !datagrams_) {
        ::shutdown(socket_.get(), SHUT_WR);
        out_done_ = true;
    }
}

step_result dialled_stream::receive() {
    const std::size_t wanted = credit(wire::channel::main);
    // A datagram can't be taken in two pieces.
    if (in_done_ || !socket_.readable() || wanted == 0 || (datagrams_ && wanted < wire::max_payload)) {
        return step_result::idle;
    }
    if (!datagrams_ && !socket_.hung_up() && pacer_.should_wait(socket_.get(), wanted)) {
        return step_result::later;
    }
    static std::byte bytes[wire::max_payload];
    const ssize_t got = ::recv(socket_.get(), bytes, wanted, 0);
    if (got > 0 || (got == 0 && datagrams_)) {
        send_data(wire::channel::main, {bytes, static_cast<std::size_t>(got)});
        pacer_.sent();
        if (!datagrams_ && static_cast<std::size_t>(got) < wanted) {
            socket_.drained(false);
        }
        return socket_.readable() ? step_result::busy : step_result::idle;
    }
    if (got == 0) {
        in_done_ = true;
        send_end(wire::channel::main);
        return step_result::idle;
    }
    if (errno == EAGAIN) {
        socket_.drained(true);
        return step_result::idle;
    }
    if (errno == EINTR || datagrams_) {
        return step_result::busy;  // A datagram that nobody took is reported here; the next one may be taken.
    }
    fail(errno, name_);
    return step_result::idle;
}

}  // namespace vmdsl::agent
