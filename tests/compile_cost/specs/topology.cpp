// SPDX-License-Identifier: BSL-1.0
// A large network with all options of a machine, and every name in it looked up.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<
    segment<"lan">, segment<"dmz">, segment<"storage">,
    machine<"router", segment<"lan">, segment<"dmz">, memory<128_MiB>>,
    machine<"web1", image<"web">, segment<"dmz">, memory<512_MiB>, vcpus<2>, forward<host_port<8081>, guest_port<80>>>,
    machine<"web2", image<"web">, segment<"dmz">, memory<512_MiB>, vcpus<2>, forward<host_port<8082>, guest_port<80>>>,
    machine<"database", image<"database">, segment<"storage">, memory<1_GiB>, disk<"tables", 1_GiB>,
            disk<"log", 64_MiB>>,
    machine<"backup", image<"database">, segment<"storage">, volatile_root, kernel_arguments<"quiet", "panic=5">>,
    machine<"alice", segment<"lan">>, machine<"bob", segment<"lan">>,
    machine<"mallory", segment<"lan">, segment<"dmz">, qemu_arguments<"-device", "usb-mouse">>>;

struct ready : checkpoint<lab> {
    void prepare() {
        net.start();
        net.machine("database").wait_for_unit("postgresql.service");
        net.machine("web1").wait_for_open_port(80);
        net.machine("web2").wait_for_open_port(80);
    }
};

BOOST_FIXTURE_TEST_SUITE(topology, restored<ready>)

BOOST_AUTO_TEST_CASE(everybody_is_there) {
    net.machine("router").run("ping -c 1 alice");
    net.machine("backup").run("ping -c 1 database");
    net.machine("alice").run("ping -c 1 bob");
    net.machine("bob").run("ping -c 1 mallory");
    net.link("alice").cut();
    net.link("web1").cut();
    net.link({"mallory", "dmz"}).cut();
    net.machine("mallory").run("true");
}

BOOST_AUTO_TEST_SUITE_END()
