// SPDX-License-Identifier: BSL-1.0
// A declared host port, as a person sees it; outcomes.py runs this with and without --interactive.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lone = network<machine<"box", memory<128_MiB>, forward<host_port<18082>, guest_port<8000>>>>;

struct ready : checkpoint<lone> {
    void prepare() {
        net.start();
        net.machine("box").spawn("nc -ll -p 8000 -e cat");
        net.machine("box").wait_for_open_port(8000);
    }
};

namespace {

/// What comes back from the port of localhost, empty where nobody listens.
std::string echo_of(std::uint16_t port, const std::string& text) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{30, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string answer(text.size(), '\0');
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 ||
        ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()) ||
        ::recv(fd, answer.data(), answer.size(), MSG_WAITALL) != static_cast<ssize_t>(answer.size())) {
        answer.clear();
    }
    ::close(fd);
    return answer;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(by_hand, restored<ready>)

BOOST_AUTO_TEST_CASE(the_declared_port_is_there_before_anybody_asks) {
    BOOST_TEST(echo_of(18082, "hello") == "hello");
    BOOST_TEST(net.machine("box").forwarded(8000) == 18082);
}

BOOST_AUTO_TEST_CASE(and_in_the_next_case) {
    net.machine("box").crash().start();
    net.machine("box").spawn("nc -ll -p 8000 -e cat");
    net.machine("box").wait_for_open_port(8000);
    BOOST_TEST(echo_of(18082, "hello") == "hello");
}

BOOST_AUTO_TEST_SUITE_END()
