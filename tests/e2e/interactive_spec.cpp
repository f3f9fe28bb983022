// SPDX-License-Identifier: BSL-1.0
// A declared host port, as a person sees it; outcomes.py runs this with and without --interactive.
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

#include "localhost.hpp"

using namespace vmdsl;

using lone = network<machine<"box", memory<128_MiB>, forward<host_port<INTERACTIVE_HOST_PORT>, guest_port<8000>>>>;

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
    const int fd = connect_to_localhost(port);
    if (fd == -1) {
        return {};
    }
    std::string answer(text.size(), '\0');
    if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()) ||
        ::recv(fd, answer.data(), answer.size(), MSG_WAITALL) != static_cast<ssize_t>(answer.size())) {
        answer.clear();
    }
    ::close(fd);
    return answer;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(by_hand, restored<ready>)

BOOST_AUTO_TEST_CASE(the_declared_port_is_there_before_anybody_asks) {
    BOOST_TEST(echo_of(INTERACTIVE_HOST_PORT, "hello") == "hello");
    BOOST_TEST(net.machine("box").forwarded(8000) == INTERACTIVE_HOST_PORT);
}

BOOST_AUTO_TEST_CASE(and_in_the_next_case) {
    net.machine("box").crash().start();
    net.machine("box").spawn("nc -ll -p 8000 -e cat");
    net.machine("box").wait_for_open_port(8000);
    BOOST_TEST(echo_of(INTERACTIVE_HOST_PORT, "hello") == "hello");
}

BOOST_AUTO_TEST_SUITE_END()
