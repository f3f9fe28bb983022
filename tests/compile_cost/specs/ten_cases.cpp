// SPDX-License-Identifier: BSL-1.0
// A spec as people write them: two machines, a checkpoint and ten cases. tools/bench compile measures this one.
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<machine<"server", image<"web">, memory<512_MiB>, forward<host_port<8081>, guest_port<80>>>,
                    machine<"client", memory<128_MiB>>>;

struct ready : checkpoint<lab> {
    std::string version;

    void prepare() {
        net.start();
        net.machine("server").wait_for_unit("apache2.service").wait_for_open_port(80);
        version = net.machine("server").run("apache2 -v").out();
    }
};

BOOST_FIXTURE_TEST_SUITE(ten_cases, restored<ready>)

BOOST_AUTO_TEST_CASE(a_page_is_served) {
    BOOST_TEST(net.machine("client").run("curl -fsS {}", "http://server/").out().find("It works") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_page_is_not) {
    const auto result = net.machine("client").execute("curl -fsS {}", "http://server/missing");
    BOOST_TEST(result.failed());
    BOOST_TEST(result.exit_code() == 22);
    BOOST_TEST(result.err().find("404") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_file_becomes_a_page) {
    net.machine("server").write_file("/var/www/html/hello.txt", "hello\n");
    BOOST_TEST(net.machine("client").run("curl -fsS {}", "http://server/hello.txt").out() == "hello\n");
}

BOOST_AUTO_TEST_CASE(the_log_names_the_client) {
    net.machine("client").run("curl -fsS -o {} {}", "/dev/null", "http://server/");
    BOOST_TEST(net.machine("server").read_file("/var/log/apache2/access.log").find("curl") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(many_requests_are_served) {
    auto& client = net.machine("client");
    auto first = client.spawn("for i in $(seq 100); do curl -fsS http://server/; done");
    auto second = client.spawn("for i in $(seq 100); do curl -fsS http://server/; done");
    BOOST_TEST(first.wait().succeeded());
    BOOST_TEST(second.wait().succeeded());
}

BOOST_AUTO_TEST_CASE(a_cut_cable_heals) {
    auto& client = net.machine("client");
    net.link("server").cut();
    BOOST_TEST(client.execute("curl --max-time {} {}", 2, "http://server/").failed());
    net.link("server").heal();
    client.wait_until_succeeds("curl -fsS http://server/", 20s);
}

BOOST_AUTO_TEST_CASE(it_comes_back_after_a_reboot) {
    net.machine("server").reboot().wait_for_open_port(80);
    net.machine("client").run("curl -fsS {}", "http://server/");
}

BOOST_AUTO_TEST_CASE(what_is_stopped_does_not_listen) {
    net.machine("server").run("systemctl stop {}", "apache2.service");
    net.machine("server").within(10s).wait_for_closed_port(80);
    BOOST_CHECK_THROW((void)net.machine("client").run("curl -fsS http://server/"), command_failed);
}

BOOST_AUTO_TEST_CASE(the_version_is_known) {
    BOOST_TEST(version.starts_with("Server version: Apache/2.4"));
}

BOOST_AUTO_TEST_CASE(localhost_reaches_it) {
    BOOST_TEST(net.machine("server").forwarded(80) != 0);
}

BOOST_AUTO_TEST_SUITE_END()
