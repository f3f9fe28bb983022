// SPDX-License-Identifier: BSL-1.0
// Cases that must fail, and some beside them that must not; outcomes.py runs them and reads what was reported.
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lone = network<machine<"box", memory<128_MiB>>>;

namespace {

constexpr const char* panic_soon = "echo 1 > /proc/sys/kernel/sysrq; sleep 1; echo c > /proc/sysrq-trigger";

/// Looks at the console only, which no machine is asked for; and at all of it, since a panic's call trace may be longer
/// than the tail that errors show.
void await_on_console(const guest& box, const std::string& text) {
    const auto until = deadline::in(60s);
    while (box.console_tail(1000).find(text) == std::string::npos) {
        BOOST_REQUIRE_MESSAGE(!until.expired(), "the console never said: " << text);
        std::this_thread::sleep_for(50ms);
    }
}

}  // namespace

// --- What does not end.

struct ready_to_hang : checkpoint<lone> {
    void prepare() { net.start(); }
};

BOOST_FIXTURE_TEST_SUITE(hanging, restored<ready_to_hang>)

BOOST_AUTO_TEST_CASE(a_command) {
    net.machine("box").run("echo started; sleep 1000");
}

BOOST_AUTO_TEST_CASE(the_next_case) {
    net.machine("box").run("true");
}

BOOST_AUTO_TEST_SUITE_END()

// --- Deaths that nobody asked for.

struct ready : checkpoint<lone> {
    void prepare() { net.start(); }
};

BOOST_FIXTURE_TEST_SUITE(deaths, restored<ready>)

BOOST_AUTO_TEST_CASE(nobody_noticed) {
    net.machine("box").spawn(panic_soon);
    await_on_console(net.machine("box"), "Kernel panic");
}

BOOST_AUTO_TEST_CASE(nobody_noticed_before_the_power_went) {
    auto& box = net.machine("box");
    box.spawn(panic_soon);
    await_on_console(box, "Kernel panic");
    box.crash();
}

BOOST_AUTO_TEST_CASE(a_verb_said_so) {
    BOOST_CHECK_THROW(net.machine("box").run("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 60"),
                      machine_died);
}

BOOST_AUTO_TEST_CASE(a_question_said_so) {
    auto& box = net.machine("box");
    box.spawn(panic_soon);
    while (box.running()) {
        std::this_thread::sleep_for(50ms);
    }
}

BOOST_AUTO_TEST_CASE(the_guest_switched_itself_off) {
    auto& box = net.machine("box");
    box.spawn("sleep 1; poweroff -f");
    while (box.running()) {
        std::this_thread::sleep_for(50ms);
    }
}

BOOST_AUTO_TEST_CASE(nothing_happened) {
    net.machine("box").run("true");
}

BOOST_AUTO_TEST_SUITE_END()

// --- Bodies that fail.

struct refused : checkpoint<lone> {
    void prepare() { BOOST_REQUIRE(1 + 1 == 3); }
};

BOOST_FIXTURE_TEST_SUITE(refused_body, restored<refused>)

BOOST_AUTO_TEST_CASE(first) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(second) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(third) {
}

BOOST_AUTO_TEST_SUITE_END()

struct dead : checkpoint<lone> {
    void prepare() {
        net.start();
        net.machine("box").spawn(panic_soon);
        await_on_console(net.machine("box"), "Kernel panic");
    }
};

BOOST_FIXTURE_TEST_SUITE(dead_body, restored<dead>)

BOOST_AUTO_TEST_CASE(first) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(second) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()

// --- Consoles: a case whose process crashes, after one whose guest did.

BOOST_FIXTURE_TEST_SUITE(consoles, restored<ready>)

BOOST_AUTO_TEST_CASE(its_kernel_panics) {
    net.machine("box").run("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger; sleep 60");
}

BOOST_AUTO_TEST_CASE(its_own_crash) {
    ::raise(SIGSEGV);
}

BOOST_AUTO_TEST_SUITE_END()

// --- Two machines that can't be started.

struct two_started : checkpoint<network<machine<"alpha", memory<64_MiB>>, machine<"beta", memory<64_MiB>>>> {
    void prepare() { net.start(); }
};

BOOST_FIXTURE_TEST_CASE(two_machines, restored<two_started>) {
}

BOOST_AUTO_TEST_CASE(two_reasons) {
    network<machine<"alpha", memory<64_MiB>, qemu_arguments<"-no-such-option">>,
            machine<"beta", memory<64_MiB>, qemu_arguments<"-not-that-one">>>
        net;
    net.start();
}

// --- A machine that is started by itself: what a person gets instead of the case.

BOOST_AUTO_TEST_CASE(one_of_two) {
    network<machine<"alpha", memory<128_MiB>, display>, machine<"beta", memory<128_MiB>>> net;
    net.machine("alpha").start();
    BOOST_ERROR("the case went on");
}

// --- Events.

BOOST_FIXTURE_TEST_SUITE(events, restored<ready>)

BOOST_AUTO_TEST_CASE(every_verb_has_one) {
    auto& box = net.machine("box");
    box.run("echo hello");
    (void)box.execute("exit 3");
    box.write_file("/tmp/x", "secret content", 0600);
    (void)box.read_file("/tmp/x");
    (void)box.file_exists("/tmp/y");
    BOOST_CHECK_THROW((void)box.read_file("/tmp/y"), guest_error);
    box.wait_for_file("/tmp/x");
    box.wait_until_succeeds("test -e /tmp/x");
    auto server = box.spawn("nc -ll -p 99 -e cat");
    box.wait_for_open_port(99);
    server.signal();
    (void)server.wait();
    box.wait_for_closed_port(99);
    auto sleeper = box.spawn("sleep 99");
    sleeper.kill();
    (void)sleeper.wait();
    BOOST_CHECK_THROW(box.within(200ms).wait_for_file("/tmp/z"), timed_out);
    net.link("box").cut();
    net.link("box").heal();
    box.crash().start().shutdown();
}

BOOST_AUTO_TEST_SUITE_END()
