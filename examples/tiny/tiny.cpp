// SPDX-License-Identifier: BSL-1.0
// Two of the smallest machines there are, on one network: a first spec to read, and one to change and run again.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using pair = network<machine<"alice", memory<128_MiB>>, machine<"bob", memory<128_MiB>>>;

struct ready : checkpoint<pair> {
    void prepare() {
        net.start();
        net.machine("alice").run("ping -c 1 -W 10 bob");
    }
};

BOOST_FIXTURE_TEST_SUITE(tiny, restored<ready>)

BOOST_AUTO_TEST_CASE(they_know_each_other_by_name) {
    net.machine("bob").run("ping -c 1 -W 10 alice");
    BOOST_TEST(net.machine("bob").run("hostname").out() == "bob\n");
}

BOOST_AUTO_TEST_CASE(what_a_case_writes_no_other_case_sees) {
    auto& alice = net.machine("alice");
    BOOST_TEST(!alice.file_exists("note"));
    alice.write_file("note", "seen by this case only\n");
    BOOST_TEST(alice.read_file("note") == "seen by this case only\n");
}

BOOST_AUTO_TEST_CASE(nor_does_this_one) {
    BOOST_TEST(!net.machine("alice").file_exists("note"));
}

BOOST_AUTO_TEST_CASE(a_cut_cable_heals) {
    auto& alice = net.machine("alice");
    net.link("bob").cut();
    BOOST_TEST(alice.execute("ping -c 1 -W 1 bob").failed());
    net.link("bob").heal();
    alice.wait_until_succeeds("ping -c 1 -W 1 bob", 20s);
}

BOOST_AUTO_TEST_SUITE_END()
