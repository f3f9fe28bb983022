// SPDX-License-Identifier: BSL-1.0
// The host reaches a guest's port through the agent, without a network card.
#include <string>
#include <thread>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

#include "localhost.hpp"

using namespace vmdsl;

using lone = network<machine<"box", memory<128_MiB>, forward<host_port<18081>, guest_port<8000>>>>;

struct ready : checkpoint<lone> {
    void prepare() {
        net.start();
        auto& box = net.machine("box");
        box.spawn("nc -ll -p 8000 -e cat");
        box.wait_for_open_port(8000);
        box.run("mkdir /tmp/www; for i in 0 1 2 3 4 5 6 7; do echo file $i > /tmp/www/$i; done");
        box.spawn("httpd -f -p 8080 -h /tmp/www");
        box.wait_for_open_port(8080);
    }
};

namespace {

/// Sends `text`, says that this is all, and returns everything that comes back. Several threads call it, which
/// Boost.Test's checks are not made for.
std::string round_trip(std::uint16_t port, const std::string& text) {
    const int fd = connect_to_localhost(port);
    if (fd == -1) {
        return "(nobody listens)";
    }
    std::thread writer([&] {
        std::size_t done = 0;
        while (done < text.size()) {
            const auto n = ::send(fd, text.data() + done, text.size() - done, MSG_NOSIGNAL);
            if (n <= 0) {
                break;
            }
            done += static_cast<std::size_t>(n);
        }
        ::shutdown(fd, SHUT_WR);
    });
    std::string answer;
    char buffer[65536];
    for (;;) {
        const auto n = ::read(fd, buffer, sizeof buffer);
        if (n <= 0) {
            break;
        }
        answer.append(buffer, static_cast<std::size_t>(n));
    }
    writer.join();
    ::close(fd);
    return answer;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(forward_test, restored<ready>)

BOOST_AUTO_TEST_CASE(bytes_go_both_ways_and_the_end_is_passed_on) {
    const auto port = net.machine("box").forwarded(8000);
    BOOST_TEST(port != 18081);  // that one is for a person; tests get a free one
    BOOST_TEST(net.machine("box").forwarded(8000) == port);
    BOOST_TEST(round_trip(port, "hello") == "hello");
    std::string much(2'000'000, 'x');
    much += "end";
    BOOST_TEST((round_trip(port, much) == much));
}

BOOST_AUTO_TEST_CASE(many_connections_at_once) {
    const auto port = net.machine("box").forwarded(8080);
    std::vector<std::thread> clients;
    std::vector<std::string> answers(8);
    for (std::size_t i = 0; i < answers.size(); ++i) {
        clients.emplace_back(
            [&, i] { answers[i] = round_trip(port, "GET /" + std::to_string(i) + " HTTP/1.0\r\n\r\n"); });
    }
    for (auto& client : clients) {
        client.join();
    }
    for (std::size_t i = 0; i < answers.size(); ++i) {
        BOOST_TEST(answers[i].ends_with("file " + std::to_string(i) + "\n"), answers[i]);
    }
}

BOOST_AUTO_TEST_CASE(a_port_that_nobody_serves_closes_the_connection) {
    BOOST_TEST(round_trip(net.machine("box").forwarded(8001), "anyone?").empty());
}

BOOST_AUTO_TEST_CASE(a_port_belongs_to_the_machine_and_not_to_one_boot) {
    auto& box = net.machine("box");
    const auto serve = [&] {
        box.spawn("nc -ll -p 8000 -e cat");
        box.wait_for_open_port(8000);
    };
    const auto port = box.forwarded(8000);
    box.crash();
    BOOST_TEST(box.forwarded(8000) == port);
    BOOST_TEST(round_trip(port, "anyone?").empty());
    box.start();
    serve();
    BOOST_TEST(box.forwarded(8000) == port);
    BOOST_TEST(round_trip(port, "hello") == "hello");
    box.reboot();
    serve();
    BOOST_TEST(box.forwarded(8000) == port);
    BOOST_TEST(round_trip(port, "again") == "again");
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_off_has_a_port_already) {
    auto& box = net.machine("box");
    box.shutdown();
    const auto port = box.forwarded(8000);
    BOOST_TEST(round_trip(port, "anyone?").empty());
    box.start();
    box.spawn("nc -ll -p 8000 -e cat");
    box.wait_for_open_port(8000);
    BOOST_TEST(round_trip(port, "hello") == "hello");
}

BOOST_AUTO_TEST_SUITE_END()
