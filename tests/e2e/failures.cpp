// SPDX-License-Identifier: BSL-1.0
// A machine that dies ends the waiting call at once, with the console's words.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lone = network<machine<"box", memory<128_MiB>>>;

struct ready : checkpoint<lone> {
    void prepare() { net.start(); }
};

namespace {

bool mentions(const std::exception& problem, std::string_view text) {
    return std::string_view(problem.what()).find(text) != std::string_view::npos;
}

/// The QEMU that this worker started last.
pid_t qemu_of_this_worker() {
    pid_t found = 0;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const auto name = entry.path().filename().string();
        if (name.find_first_not_of("0123456789") != std::string::npos) {
            continue;
        }
        std::ifstream status(entry.path() / "status");
        std::string line;
        bool qemu = false;
        bool ours = false;
        while (std::getline(status, line)) {
            qemu |= line.rfind("Name:\tqemu-system", 0) == 0;
            ours |= line == "PPid:\t" + std::to_string(::getpid());
        }
        if (qemu && ours) {
            found = std::max(found, static_cast<pid_t>(std::stol(name)));
        }
    }
    return found;
}

/// All that machines with this name have written to their consoles.
std::string console_of(const std::string& machine) {
    std::ifstream file(current_run().output_directory / ("console-" + machine + ".log"));
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Stops the machine's agent, so that the guest will not do what it is asked for. Returns once that is so. The guest
/// then runs `afterwards`.
void deafen(vmdsl::guest& box, const std::string& afterwards = "true") {
    static int times = 0;
    const auto word = "deaf: " + std::to_string(::getpid()) + "." + std::to_string(++times) + ";";
    // Told by a signal, which is not answered, because nothing is any more; and said on the console for the same
    // reason.
    auto stopper = box.spawn("trap 'kill -STOP $PPID; echo \"" + word + "\" > /dev/console; " + afterwards +
                             "; exit' TERM; echo ready; while :; do sleep 0.1; done");
    const auto until = deadline::in(300s);
    const auto poll = [&until] {
        BOOST_REQUIRE(!until.expired());
        std::this_thread::sleep_for(20ms);
    };
    while (stopper.out_so_far() != "ready\n") {
        poll();
    }
    stopper.signal();
    while (console_of("box").find(word) == std::string::npos) {
        poll();
    }
}

const std::string panic = "echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(failures, restored<ready>)

BOOST_AUTO_TEST_CASE(a_panic_ends_the_call_with_the_consoles_words) {
    auto& box = net.machine("box");
    BOOST_CHECK_EXCEPTION(box.run(panic + "; sleep 6000"), machine_died, [](const machine_died& e) {
        return mentions(e, "its kernel panicked") && mentions(e, "sysrq triggered crash");
    });
    BOOST_TEST(!box.running());
    const auto says_all = [](const error& e) {
        return e.details().machine == "box" && mentions(e, "failures.cpp:") && !e.details().console_tail.empty();
    };
    const auto and_the_command = [&](const error& e) { return says_all(e) && e.details().command == "true"; };
    BOOST_CHECK_EXCEPTION(box.run("true"), machine_died, and_the_command);
    BOOST_CHECK_EXCEPTION(box.spawn("true"), machine_died, and_the_command);
    BOOST_CHECK_EXCEPTION(box.wait_until_succeeds("true"), machine_died, and_the_command);
    BOOST_CHECK_EXCEPTION((void)box.read_file("/etc/hostname"), machine_died, says_all);
    BOOST_CHECK_EXCEPTION(box.wait_for_open_port(22), machine_died, says_all);
    box.crash();
}

BOOST_AUTO_TEST_CASE(a_machine_that_dies_during_a_wait_says_where_that_was) {
    auto& box = net.machine("box");
    box.spawn("sleep 1; " + panic);
    BOOST_CHECK_EXCEPTION(box.wait_for_file("/never"), machine_died, [](const machine_died& e) {
        return mentions(e, "its kernel panicked") && mentions(e, "failures.cpp:");
    });
}

BOOST_AUTO_TEST_CASE(a_mistake_says_where_it_is) {
    auto& box = net.machine("box");
    const auto is_here = [](const error& e) { return e.details().machine == "box" && mentions(e, "failures.cpp:"); };
    BOOST_CHECK_EXCEPTION(box.copy_from_host("no-such-file", "/tmp/x"), usage_error, is_here);
    BOOST_CHECK_EXCEPTION(box.send_key("a--b"), error, is_here);
    BOOST_CHECK_EXCEPTION(box.qmp("query-status", "[1"), usage_error, is_here);
}

BOOST_AUTO_TEST_CASE(qemu_that_dies_while_it_is_asked_has_been_seen_dying) {
    auto& box = net.machine("box");
    const auto qemu = qemu_of_this_worker();
    ::kill(qemu, SIGSTOP);  // so that it does not answer
    std::thread killer([&] {
        std::this_thread::sleep_for(500ms);  // before or after the call begins: it has to throw either way
        ::kill(qemu, SIGKILL);
    });
    BOOST_CHECK_EXCEPTION(box.pause(), machine_died, [](const machine_died& e) {
        return e.details().machine == "box" && mentions(e, "QEMU was ended by signal 9") &&
               mentions(e, "failures.cpp:");
    });
    killer.join();
}

BOOST_AUTO_TEST_CASE(the_death_of_qemu_ends_every_call) {
    auto& box = net.machine("box");
    auto job = box.spawn("sleep 6000");
    std::thread killer([&] {
        box.wait_for_file("/tmp/go");
        ::kill(qemu_of_this_worker(), SIGKILL);
    });
    BOOST_CHECK_EXCEPTION(box.run("touch /tmp/go; sleep 6000"), machine_died, [](const machine_died& e) {
        return mentions(e, "QEMU was ended by signal 9") && e.details().machine == "box";
    });
    killer.join();
    BOOST_CHECK_THROW(job.wait(), machine_died);
}

// After 2 s, because QEMU tells of a port once a second at most: of the one that closes it would not tell in time.
BOOST_AUTO_TEST_CASE(a_guest_that_switches_itself_off_says_so) {
    BOOST_CHECK_EXCEPTION(net.machine("box").run("sleep 2; poweroff -f; sleep 300"), machine_died,
                          [](const machine_died& e) {
                              return mentions(e, "the guest switched itself off") &&
                                     e.details().command == "sleep 2; poweroff -f; sleep 300";
                          });
}

BOOST_AUTO_TEST_CASE(one_that_does_so_in_order_says_so_too) {
    BOOST_CHECK_EXCEPTION(net.machine("box").run("sleep 2; poweroff; sleep 300"), machine_died,
                          [](const machine_died& e) { return mentions(e, "the guest switched itself off"); });
}

BOOST_AUTO_TEST_CASE(one_that_restarts_itself_says_that) {
    BOOST_CHECK_EXCEPTION(net.machine("box").run("reboot -f; sleep 300"), machine_died, [](const machine_died& e) {
        return mentions(e, "was restarted (or its agent was) while a command ran");
    });
}

BOOST_AUTO_TEST_CASE(one_that_restarts_while_its_terminal_is_read_says_so_too) {
    auto& box = net.machine("box");
    deafen(box, "sleep 2; reboot -f");
    BOOST_CHECK_EXCEPTION((void)box.tty_text(1), machine_died, [](const machine_died& e) {
        return mentions(e, "was restarted (or its agent was) while reading /dev/vcsa1") && mentions(e, "failures.cpp:");
    });
}

BOOST_AUTO_TEST_CASE(the_death_of_the_agent_ends_the_call) {
    auto& box = net.machine("box");
    BOOST_CHECK_THROW(box.run("kill -9 $PPID; sleep 6000"), machine_died);
}

BOOST_AUTO_TEST_CASE(a_machine_that_is_off_says_so) {
    auto& box = net.machine("box");
    box.shutdown();
    BOOST_CHECK_EXCEPTION(box.run("true"), usage_error, [](const usage_error& e) {
        return mentions(e, "switched off") && mentions(e, "failures.cpp:") && e.details().machine == "box" &&
               e.details().command == "true";
    });
    BOOST_CHECK_THROW(box.crash(), usage_error);
    box.start();
    BOOST_CHECK_THROW(box.start(), usage_error);
    box.run("true");
}

BOOST_AUTO_TEST_CASE(a_panic_while_it_is_shut_down_ends_the_call) {
    auto& box = net.machine("box");
    deafen(box, "sleep 3; " + panic);  // before or after the call begins: it has to throw either way
    BOOST_CHECK_EXCEPTION(box.within(120s).shutdown(), machine_died, [](const machine_died& e) {
        return mentions(e, "its kernel panicked") && mentions(e, "sysrq triggered crash") &&
               mentions(e, "failures.cpp:");
    });
    box.crash();
    box.start();
}

BOOST_AUTO_TEST_CASE(the_death_of_qemu_is_no_orderly_shutdown) {
    auto& box = net.machine("box");
    deafen(box);
    std::thread killer([] {
        std::this_thread::sleep_for(1s);  // before or after the call begins: it has to throw either way
        ::kill(qemu_of_this_worker(), SIGKILL);
    });
    BOOST_CHECK_EXCEPTION(box.within(60s).shutdown(), machine_died,
                          [](const machine_died& e) { return mentions(e, "QEMU was ended by signal 9"); });
    killer.join();
    BOOST_TEST(!box.running());
}

BOOST_AUTO_TEST_CASE(after_a_shutdown_that_took_too_long_a_death_is_one_again) {
    auto& box = net.machine("box");
    deafen(box);
    BOOST_CHECK_EXCEPTION(box.within(1s).shutdown(), timed_out,
                          [](const timed_out& e) { return mentions(e, "did not switch itself off within 1 s"); });
    BOOST_TEST(box.running());
    ::kill(qemu_of_this_worker(), SIGKILL);
    BOOST_CHECK_THROW(box.within(20s).wait_for_file("/never"), machine_died);
}

BOOST_AUTO_TEST_CASE(a_panic_while_it_reboots_ends_the_call) {
    auto& box = net.machine("box");
    deafen(box, "sleep 3; " + panic);
    BOOST_CHECK_THROW(box.within(120s).reboot(), machine_died);
}

BOOST_AUTO_TEST_CASE(after_a_boot_that_failed_the_machine_is_off) {
    auto& box = net.machine("box");
    box.crash();
    BOOST_CHECK_THROW(box.within(200ms).start(), timed_out);
    BOOST_TEST(!box.running());
    BOOST_CHECK_EXCEPTION(box.run("true"), usage_error,
                          [](const usage_error& e) { return mentions(e, "switched off"); });
    box.start();
    box.run("true");
}

BOOST_AUTO_TEST_CASE(after_a_panic_and_a_crash_it_is_just_off) {
    auto& box = net.machine("box");
    BOOST_CHECK_THROW(box.run(panic + "; sleep 6000"), machine_died);
    box.crash();
    BOOST_CHECK_THROW(box.run("true"), usage_error);
    box.start().run("true");
}

BOOST_AUTO_TEST_SUITE_END()
