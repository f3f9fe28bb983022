// SPDX-License-Identifier: BSL-1.0
// Debian's Apache serves a Subversion repository on one machine; the other one works with it.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

// The topology is a type: machine names, links, forwarded ports and memory sizes are checked when this compiles.
using lab =
    network<machine<"webserver", image<"svn-server">, memory<512_MiB>, forward<host_port<8081>, guest_port<80>>>,
            machine<"client", image<"svn-client">>>;

// Runs once. Every test case starts from the state that it leaves: all machines' memory and disks, and the network.
struct ready : checkpoint<lab> {
    void prepare() {
        net.start();
        net.machine("webserver").wait_for_unit("apache2.service").wait_for_open_port(80);
        // What a checkpoint did last, its copies do fast.
        net.machine("client").run("svn info http://webserver/repos/demo");
    }
};

BOOST_FIXTURE_TEST_SUITE(subversion, restored<ready>)

BOOST_AUTO_TEST_CASE(a_commit_from_the_client_is_served) {
    auto& client = net.machine("client");
    client.run("svn checkout {} wc", "http://webserver/repos/demo");
    client.write_file("wc/hello.txt", "hello\n");
    client.run("cd wc && svn add hello.txt && svn commit -m {}", "it's quoted for me");  // {} is shell-quoted
    BOOST_TEST(client.run("curl -fsS http://webserver/repos/demo/hello.txt").out() == "hello\n");
    BOOST_TEST(client.run("svn log --quiet --limit 1 {}", "http://webserver/repos/demo").out().find("r1 ") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_cut_cable_fails_the_checkout_and_heals) {
    auto& client = net.machine("client");
    net.link("client").cut();
    BOOST_TEST(client.execute("timeout 5 svn info {}", "http://webserver/repos/demo").failed());
    net.link("client").heal();
    client.wait_until_succeeds("svn info http://webserver/repos/demo", 20s);
}

BOOST_AUTO_TEST_CASE(the_repository_is_empty_again) {
    auto& client = net.machine("client");
    BOOST_TEST(client.run("svn list {}", "http://webserver/repos/demo").out().empty());
    BOOST_TEST(client.execute("curl -fsS http://webserver/repos/demo/hello.txt").failed());
}

BOOST_AUTO_TEST_SUITE_END()
