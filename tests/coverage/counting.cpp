// SPDX-License-Identifier: BSL-1.0
// A program that counts in known numbers. check_counting.py reads what came of it.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

namespace {

using lab = network<machine<"one", image<"counting">>>;

struct serving : checkpoint<lab> {
    void prepare() {
        net.start();
        net.machine("one").run("mkfifo /root/orders /root/done && counting");
        net.machine("one").run("systemd-run --quiet counting serve /root/orders /root/done");
        order(1);
    }

    /// Returns when the server has done as many things.
    void order(int number) {
        for (int i = 0; i < number; ++i) {
            net.machine("one").run("echo -n x >/root/orders && head --bytes=1 /root/done >/dev/null");
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(counting, restored<serving>)

BOOST_AUTO_TEST_CASE(servers_and_their_children_count) {
    order(3);
}

BOOST_AUTO_TEST_CASE(the_next_case_counts_for_itself) {
    order(2);
    net.machine("one").run("counting");
}

BOOST_AUTO_TEST_CASE(a_reboot_loses_nothing) {
    order(1);
    net.machine("one").run("counting");
    net.machine("one").reboot();
    net.machine("one").run("counting");
}

BOOST_AUTO_TEST_CASE(switching_off_loses_nothing) {
    net.machine("one").run("counting; counting");
    net.machine("one").shutdown();
}

BOOST_AUTO_TEST_CASE(a_power_failure_is_said) {
    net.machine("one").run("counting");
    net.machine("one").crash();
}

BOOST_AUTO_TEST_CASE(a_process_that_hangs_is_said) {
    order(1);
    net.machine("one").run("kill -STOP $(pidof counting)");
}

BOOST_AUTO_TEST_SUITE_END()
