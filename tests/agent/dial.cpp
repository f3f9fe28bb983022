// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
using builder = vmdsl::payload_builder;
using vmdsl::unique_fd;

constexpr int patience_milliseconds = 60000;

void wait_for(int fd, short events) {
    pollfd waiting{fd, events, 0};
    BOOST_REQUIRE(::poll(&waiting, 1, patience_milliseconds) == 1);
}

/// A socket on the loopback interface, with a port of the kernel's choice.
struct bound_socket {
    unique_fd fd;
    std::uint16_t port = 0;

    explicit bound_socket(int type, int family = AF_INET) : fd(::socket(family, type | SOCK_CLOEXEC, 0)) {
        sockaddr_in6 v6{};
        sockaddr_in v4{};
        v6.sin6_family = AF_INET6;
        v6.sin6_addr = in6addr_loopback;
        v4.sin_family = AF_INET;
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* address = family == AF_INET ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
        socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
        BOOST_REQUIRE(::bind(fd.get(), address, size) == 0);
        BOOST_REQUIRE(::getsockname(fd.get(), address, &size) == 0);
        port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
    }
};

unique_fd accept_one(int listener) {
    wait_for(listener, POLLIN);
    return unique_fd{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
}

/// Everything until the other side has shut its direction down.
std::string read_all(int fd) {
    std::string all;
    char buffer[65536];
    for (;;) {
        wait_for(fd, POLLIN);
        const auto got = ::recv(fd, buffer, sizeof buffer, 0);
        BOOST_REQUIRE(got >= 0);
        if (got == 0) {
            return all;
        }
        all.append(buffer, static_cast<std::size_t>(got));
    }
}

builder address(std::string_view network, std::string_view where, std::uint16_t port = 0) {
    return builder{}.text(wire::tag::network, network).text(wire::tag::address, where).u32(wire::tag::port, port);
}

unsigned dial_error(agent_process& agent, builder where) {
    return agent.wait_for_end(agent.open(wire::stream_kind::dial, std::move(where))).error_number.value_or(0);
}

/// Both directions, each half closed on its own.
void check_conversation(agent_process& agent, std::uint32_t stream, int server) {
    agent.wait_for_opened(stream);
    agent.send_data(stream, "question");
    agent.send(wire::frame_type::end, stream);
    BOOST_TEST(read_all(server) == "question");
    agent.settle();
    BOOST_TEST(!agent.state(stream).finished);
    BOOST_TEST(::send(server, "answer", 6, MSG_NOSIGNAL) == 6);
    BOOST_TEST(::shutdown(server, SHUT_WR) == 0);
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST(ended.out == "answer");
    BOOST_TEST(ended.out_ended);
    BOOST_TEST(!ended.error_number.has_value());
}

BOOST_AUTO_TEST_SUITE(dialled_streams)

BOOST_AUTO_TEST_CASE(tcp_both_ways_with_half_close) {
    agent_process agent;
    const bound_socket listener{SOCK_STREAM};
    BOOST_REQUIRE(::listen(listener.fd.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("tcp", "127.0.0.1", listener.port));
    const auto server = accept_one(listener.fd.get());
    check_conversation(agent, stream, server.get());
}

BOOST_AUTO_TEST_CASE(tcp_over_ipv6) {
    agent_process agent;
    const unique_fd probe{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in6 any{};
    any.sin6_family = AF_INET6;
    any.sin6_addr = in6addr_loopback;
    if (!probe || ::bind(probe.get(), reinterpret_cast<sockaddr*>(&any), sizeof any) != 0) {
        BOOST_TEST_MESSAGE("this machine has no IPv6");
        BOOST_TEST(dial_error(agent, address("tcp", "::1", 1)) != 0U);
        return;
    }
    const bound_socket listener{SOCK_STREAM, AF_INET6};
    BOOST_REQUIRE(::listen(listener.fd.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("tcp", "::1", listener.port));
    const auto server = accept_one(listener.fd.get());
    check_conversation(agent, stream, server.get());
}

BOOST_AUTO_TEST_CASE(a_unix_socket_both_ways) {
    agent_process agent;
    const auto path = (agent.folder() / "socket").string();
    const unique_fd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un bound{};
    bound.sun_family = AF_UNIX;
    BOOST_REQUIRE(path.size() < sizeof bound.sun_path);
    std::memcpy(bound.sun_path, path.c_str(), path.size());
    BOOST_REQUIRE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&bound), sizeof bound) == 0);
    BOOST_REQUIRE(::listen(listener.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("unix", path));
    const auto server = accept_one(listener.get());
    check_conversation(agent, stream, server.get());
}

BOOST_AUTO_TEST_CASE(a_slow_reader_holds_nobody_else_up) {
    agent_process agent;
    const bound_socket listener{SOCK_STREAM};
    BOOST_REQUIRE(::listen(listener.fd.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("tcp", "127.0.0.1", listener.port));
    const auto server = accept_one(listener.fd.get());
    agent.wait_for_opened(stream);
    // Nobody reads at the other end: what is sent fills the socket's buffers and then the credit.
    std::string sent;
    while (agent.state(stream).window > 0 && sent.size() < 64U * 1024 * 1024) {
        const std::string piece(std::min<std::size_t>(agent.state(stream).window, 50000),
                                static_cast<char>('a' + sent.size() % 26));
        agent.send_data(stream, piece);
        sent += piece;
        agent.settle();
    }
    BOOST_TEST(agent.state(stream).window == 0U);
    BOOST_TEST((agent.run("true").exit_code == 0U));
    agent.send(wire::frame_type::end, stream);
    BOOST_TEST((read_all(server.get()) == sent));
}

BOOST_AUTO_TEST_CASE(a_megabyte_back_respects_the_credit) {
    agent_process agent;
    agent.automatic_credit = false;
    const bound_socket listener{SOCK_STREAM};
    BOOST_REQUIRE(::listen(listener.fd.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("tcp", "127.0.0.1", listener.port));
    const auto server = accept_one(listener.fd.get());
    agent.wait_for_opened(stream);
    agent.send(wire::frame_type::end, stream);
    const std::string content(1000000, 'z');
    std::string_view rest = content;
    while (!agent.state(stream).finished) {
        const auto done =
            rest.empty() ? 0 : ::send(server.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done > 0) {
            rest.remove_prefix(static_cast<std::size_t>(done));
            if (rest.empty()) {
                BOOST_TEST(::shutdown(server.get(), SHUT_WR) == 0);
            }
        }
        const auto before = agent.state(stream).out.size();
        agent.settle();
        BOOST_REQUIRE(agent.state(stream).out.size() - before <= wire::initial_credit);
        if (!agent.state(stream).finished) {
            agent.give_credit(stream, agent.state(stream).out.size() - before);
        }
    }
    BOOST_TEST((agent.state(stream).out == content));
}

BOOST_AUTO_TEST_CASE(udp_keeps_datagrams_apart) {
    agent_process agent;
    const bound_socket server{SOCK_DGRAM};
    const auto stream = agent.open(wire::stream_kind::dial, address("udp", "127.0.0.1", server.port));
    agent.wait_for_opened(stream);
    for (const std::string_view text : {"one", "", "three"}) {
        bytes frame;
        agent.encoder().frame(frame, wire::frame_type::data, stream, std::as_bytes(std::span{text}));
        agent.send_raw(frame);
        wait_for(server.fd.get(), POLLIN);
        char buffer[100];
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const auto got =
            ::recvfrom(server.fd.get(), buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        BOOST_REQUIRE(got >= 0);
        BOOST_TEST(std::string_view(buffer, static_cast<std::size_t>(got)) == text);
        int answers = 0;
        agent.on_frame = [&](const wire::header& header) {
            answers += header.type == wire::frame_type::data && header.length == text.size() ? 1 : 0;
        };
        BOOST_TEST(::sendto(server.fd.get(), buffer, static_cast<std::size_t>(got), 0,
                            reinterpret_cast<const sockaddr*>(&from), size) == got);
        agent.wait_until([&] { return answers == 1; }, "the datagram to come back");
        agent.on_frame = nullptr;
    }
    agent.send(wire::frame_type::end, stream);
    agent.settle();
    BOOST_TEST(!agent.state(stream).finished);
    agent.send(wire::frame_type::close, stream);
    agent.wait_for_end(stream);
}

BOOST_AUTO_TEST_CASE(failures_say_why) {
    agent_process agent;
    std::uint16_t nobody = 0;
    {
        const bound_socket gone{SOCK_STREAM};
        nobody = gone.port;
    }
    BOOST_TEST(dial_error(agent, address("tcp", "127.0.0.1", nobody)) == static_cast<unsigned>(ECONNREFUSED));
    BOOST_TEST(dial_error(agent, address("unix", "/nowhere")) == static_cast<unsigned>(ENOENT));
    BOOST_TEST(dial_error(agent, address("unix", std::string(200, 'x'))) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(dial_error(agent, address("tcp", "localhost", 80)) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(dial_error(agent, address("tcp", "127.0.0.1", 0)) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(dial_error(agent, address("sctp", "127.0.0.1", 80)) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(dial_error(agent, builder{}) == static_cast<unsigned>(EINVAL));
}

BOOST_AUTO_TEST_CASE(a_reset_connection_fails) {
    agent_process agent;
    const bound_socket listener{SOCK_STREAM};
    BOOST_REQUIRE(::listen(listener.fd.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("tcp", "127.0.0.1", listener.port));
    auto server = accept_one(listener.fd.get());
    agent.wait_for_opened(stream);
    const linger reset{1, 0};
    BOOST_REQUIRE(::setsockopt(server.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0);
    server.reset();
    BOOST_TEST((agent.wait_for_end(stream).error_number == static_cast<std::uint32_t>(ECONNRESET)));
}

BOOST_AUTO_TEST_CASE(closing_drops_the_connection) {
    agent_process agent;
    const bound_socket listener{SOCK_STREAM};
    BOOST_REQUIRE(::listen(listener.fd.get(), 1) == 0);
    const auto stream = agent.open(wire::stream_kind::dial, address("tcp", "127.0.0.1", listener.port));
    const auto server = accept_one(listener.fd.get());
    agent.wait_for_opened(stream);
    agent.send(wire::frame_type::close, stream);
    BOOST_TEST(!agent.wait_for_end(stream).error_number.has_value());
    BOOST_TEST(read_all(server.get()).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
