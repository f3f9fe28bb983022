// SPDX-License-Identifier: BSL-1.0
// Switching machines off and on, in order and not: what was synced is there, as on a real machine.
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<machine<"debian", image<"svn-client">, memory<512_MiB>>, machine<"tiny", memory<128_MiB>>>;

struct ready : checkpoint<lab> {
    void prepare() {
        net.start();
        net.machine("debian").wait_for_unit("multi-user.target");
    }
};

BOOST_FIXTURE_TEST_SUITE(power, restored<ready>)

BOOST_AUTO_TEST_CASE(what_was_synced_survives_a_crash) {
    auto& debian = net.machine("debian");
    debian.run("echo kept > /etc/kept; mkdir /srv/d; echo also > /srv/d/f; sync");
    debian.run("rm /etc/motd; sync");
    debian.crash();
    BOOST_TEST(!debian.running());
    debian.start();
    BOOST_TEST(debian.run("cat /etc/kept /srv/d/f").out() == "kept\nalso\n");
    BOOST_TEST(!debian.file_exists("/etc/motd"));
    BOOST_TEST(debian.run("hostname").out() == "debian\n");
    debian.run("ping -c 1 -W 10 tiny");
}

BOOST_AUTO_TEST_CASE(a_reboot_keeps_everything_and_is_a_new_boot) {
    auto& debian = net.machine("debian");
    const auto boot = debian.read_file("/proc/sys/kernel/random/boot_id");
    const auto id = debian.read_file("/etc/machine-id");
    debian.run("echo kept > /root/kept; echo gone > /run/gone");
    debian.reboot();
    BOOST_TEST(debian.read_file("/proc/sys/kernel/random/boot_id") != boot);
    BOOST_TEST(debian.read_file("/etc/machine-id") == id);
    BOOST_TEST(debian.read_file("/root/kept") == "kept\n");
    BOOST_TEST(!debian.file_exists("/run/gone"));
}

BOOST_AUTO_TEST_CASE(a_machine_that_was_shut_down_starts_again) {
    auto& debian = net.machine("debian");
    debian.write_file("/root/kept", "kept\n");
    debian.shutdown();
    BOOST_TEST(!debian.running());
    BOOST_TEST(net.machine("tiny").execute("ping -c 1 -W 1 debian").failed());
    debian.start();
    BOOST_TEST(debian.read_file("/root/kept") == "kept\n");
    net.machine("tiny").run("ping -c 1 -W 10 debian");
}

BOOST_AUTO_TEST_CASE(an_agent_that_ended_is_a_death) {
    auto& debian = net.machine("debian");
    BOOST_CHECK_THROW(debian.run("kill -9 $PPID; sleep 300"), machine_died);
    BOOST_CHECK_EXCEPTION(debian.within(120s).run("true"), machine_died, [](const machine_died& e) {
        return e.details().what_failed == "its agent ended, and no other one came in its place";
    });
    BOOST_TEST(!debian.running());
    debian.crash().start();
    debian.run("true");
}

BOOST_AUTO_TEST_CASE(the_root_itself_is_never_written) {
    auto& debian = net.machine("debian");
    debian.run("echo changed > /etc/issue; sync");
    debian.run("grep -q changed /etc/issue");
}

BOOST_AUTO_TEST_CASE(so_the_next_case_has_the_images_own) {
    BOOST_TEST(net.machine("debian").execute("grep -q changed /etc/issue").failed());
    BOOST_TEST(!net.machine("debian").file_exists("/etc/kept"));
}

BOOST_AUTO_TEST_CASE(units_that_fail_or_do_not_exist_say_so_at_once) {
    auto& debian = net.machine("debian");
    BOOST_CHECK_EXCEPTION(debian.wait_for_unit("no-such-thing.service"), guest_error, [](const guest_error& e) {
        return std::string(e.what()).find("not-found") != std::string::npos;
    });
    debian.write_file("/etc/systemd/system/broken.service", "[Service]\nExecStart=/bin/false\n");
    debian.execute("systemctl daemon-reload; systemctl start broken.service; sleep 1");
    BOOST_CHECK_EXCEPTION(debian.wait_for_unit("broken.service"), guest_error, [](const guest_error& e) {
        return std::string(e.what()).find("failed") != std::string::npos;
    });
}

BOOST_AUTO_TEST_CASE(the_tiny_machine_is_new_after_each_boot) {
    auto& tiny = net.machine("tiny");
    tiny.write_file("/root/x", "x");
    tiny.shutdown().start();
    BOOST_TEST(!tiny.file_exists("/root/x"));
    tiny.reboot();
    tiny.run("ping -c 1 -W 10 debian");
}

BOOST_AUTO_TEST_SUITE_END()
