// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path};
    return {std::istreambuf_iterator<char>{file}, {}};
}

BOOST_AUTO_TEST_SUITE(configuring)

BOOST_AUTO_TEST_CASE(names_are_written) {
    agent_process agent;
    agent.send(wire::frame_type::configure, 0,
               vmdsl::payload_builder{}
                   .text(wire::tag::host_name, "webserver")
                   .text(wire::tag::machine_id, "0123456789abcdef0123456789abcdef")
                   .text(wire::tag::hosts, "192.168.1.1 webserver\n192.168.1.2 client\n"));
    const auto configured = agent.wait_for_control(wire::frame_type::configured);
    BOOST_TEST(configured.empty());
    const auto etc = agent.folder() / "etc";
    BOOST_TEST(content_of(etc / "hostname") == "webserver\n");
    BOOST_TEST(content_of(etc / "machine-id") == "0123456789abcdef0123456789abcdef\n");
    BOOST_TEST(content_of(etc / "hosts") ==
               "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"
               "192.168.1.1 webserver\n192.168.1.2 client\n");
    BOOST_TEST(std::distance(std::filesystem::directory_iterator{etc}, {}) == 3);
}

BOOST_AUTO_TEST_CASE(what_does_not_work_is_said_and_the_rest_is_done) {
    agent_process agent;
    std::filesystem::create_directories(agent.folder() / "etc" / "hostname");
    agent.send(wire::frame_type::configure, 0,
               vmdsl::payload_builder{}
                   .text(wire::tag::host_name, "webserver")
                   .text(wire::tag::hosts, "192.168.1.1 webserver\n"));
    const auto configured = agent.wait_for_control(wire::frame_type::configured);
    BOOST_TEST(wire::find_field(configured, wire::tag::error_text).text() == "/etc/hostname: Is a directory");
    BOOST_TEST(std::filesystem::exists(agent.folder() / "etc" / "hosts"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
