// SPDX-License-Identifier: BSL-1.0
// A forwarded port with a client of this process at its one end and an agent that does as it likes at the other.
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/net/forward.hpp>
#include <vmdsl/process/unique_fd.hpp>

#include <unit/guest/fake_agent.hpp>

using namespace vmdsl;
using wire::frame_type;

namespace {

/// A socket whose reads wait 30 s at most.
unique_fd new_socket() {
    unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const timeval limit{30, 0};
    BOOST_REQUIRE(::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
    return fd;
}

void connect_to(const unique_fd& fd, std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
}

struct forwarding : fake::conversation {
    port_forward forward{0, [this](stream_sink sink) { return client->dial("tcp", "127.0.0.1", 80, std::move(sink)); }};
};

/// This process gets no descriptor beyond those that it has, until the end of the block.
class no_more_descriptors {
public:
    no_more_descriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        auto now = before_;
        now.rlim_cur = 1;  // not 0: poll(2) takes no more descriptors than this
        BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &now) == 0);
    }
    ~no_more_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    no_more_descriptors(const no_more_descriptors&) = delete;
    no_more_descriptors& operator=(const no_more_descriptors&) = delete;

private:
    rlimit before_{};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(forward_test)

BOOST_FIXTURE_TEST_CASE(a_client_that_has_said_all_may_still_want_the_answer, forwarding) {
    const auto socket = new_socket();
    connect_to(socket, forward.port());
    const auto id = agent->next(frame_type::open).header.stream;
    agent->send(frame_type::opened, id);
    ::shutdown(socket.get(), SHUT_WR);
    BOOST_TEST((agent->next().header.type == frame_type::end));
}

BOOST_FIXTURE_TEST_CASE(a_connection_that_is_reset_ends_in_the_guest, forwarding) {
    auto socket = new_socket();
    connect_to(socket, forward.port());
    const auto id = agent->next(frame_type::open).header.stream;
    agent->send(frame_type::opened, id);
    const linger at_once{1, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket.reset();
    const auto last = agent->next().header;
    BOOST_TEST((last.type == frame_type::close));
    BOOST_TEST(last.stream == id);
}

BOOST_AUTO_TEST_CASE(a_connection_that_could_not_be_accepted_is_accepted_later) {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    const unique_fd events(ends[0]);
    const unique_fd writer(ends[1]);
    set_event_descriptor(writer.get());
    const port_forward forward(0, [](stream_sink) { return nullptr; });  // closes what it has accepted
    const auto socket = new_socket();
    std::string told(4096, '\0');
    {
        const no_more_descriptors while_it_is_tried;
        connect_to(socket, forward.port());
        pollfd waiting{events.get(), POLLIN, 0};
        BOOST_REQUIRE_MESSAGE(::poll(&waiting, 1, 30000) == 1, "waited in vain for a warning");
        const auto n = ::read(events.get(), told.data(), told.size());
        told.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    set_event_descriptor(-1);
    const auto event = parse_json_line(told.substr(0, told.find('\n')));
    BOOST_REQUIRE(event.has_value());
    BOOST_TEST((event->kind == event_kind::warning));
    BOOST_TEST(event->text("text").find("127.0.0.1:" + std::to_string(forward.port())) != std::string_view::npos);
    char byte = 0;
    BOOST_TEST(::recv(socket.get(), &byte, 1, 0) == 0);  // it was its turn, in the end
}

BOOST_AUTO_TEST_SUITE_END()
