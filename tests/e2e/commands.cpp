// SPDX-License-Identifier: BSL-1.0
// Commands, jobs, files and waits on a real guest, restored for each case.
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lone = network<machine<"box", memory<128_MiB>>>;

struct ready : checkpoint<lone> {
    void prepare() {
        step("boot", [&] { net.start(); });
        polling_condition("it is up", [&] { return net.machine("box").run("true").succeeded(); })
            .every(1ms)
            .during([&] { net.machine("box").run("true"); });
    }
};

namespace {

bool mentions(const std::exception& problem, std::string_view text) {
    return std::string_view(problem.what()).find(text) != std::string_view::npos;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(commands, restored<ready>)

BOOST_AUTO_TEST_CASE(both_streams_come_apart_and_byte_for_byte) {
    auto& box = net.machine("box");
    const auto result = box.run("printf 'a\\0b\\377'; printf 'error\\n' >&2");
    BOOST_TEST(result.out() == std::string("a\0b\377", 4));
    BOOST_TEST(result.err() == "error\n");
    BOOST_TEST(result.duration().count() > 0);
    BOOST_TEST(!result.lingering());
}

BOOST_AUTO_TEST_CASE(arguments_are_words) {
    auto& box = net.machine("box");
    const std::string hostile = "it's \"$(reboot)\" `halt` ; * \n \\";
    BOOST_TEST(box.run("printf %s {}", hostile).out() == hostile);
    const std::vector<std::string> words{"a b", "", "c"};
    BOOST_TEST(box.run("printf '<%s>' {}", words).out() == "<a b><><c>");
    BOOST_TEST(box.run("echo {} {}", 4, raw("| cat")).out() == "4\n");
}

BOOST_AUTO_TEST_CASE(exit_codes_and_signals) {
    auto& box = net.machine("box");
    BOOST_TEST(box.execute("exit 7").exit_code() == 7);
    const auto killed = box.execute("kill -9 $$");
    BOOST_TEST(killed.signal() == 9);
    BOOST_TEST(killed.exit_code() == 137);
    BOOST_TEST(killed.failed());
}

BOOST_AUTO_TEST_CASE(a_failed_run_says_everything) {
    BOOST_CHECK_EXCEPTION(net.machine("box").run("echo progress; echo reason >&2; exit 3"), command_failed,
                          [](const command_failed& e) {
                              return mentions(e, "machine \"box\"") && mentions(e, "exited with code 3") &&
                                     mentions(e, "progress") && mentions(e, "reason") && mentions(e, "commands.cpp:") &&
                                     e.details().out_tail == "progress\n" && e.details().err_tail == "reason\n";
                          });
}

BOOST_AUTO_TEST_CASE(many_run_at_once) {
    auto& box = net.machine("box");
    box.run("mkdir /tmp/begun");
    std::vector<job> jobs;
    for (int i = 0; i < 20; ++i) {
        // None of them ends before all of them have begun.
        jobs.push_back(box.spawn("touch /tmp/begun/{}; until test -e /tmp/go; do sleep 0.1; done; echo {}", i, i));
    }
    box.wait_until_succeeds("test $(ls /tmp/begun | wc -l) -eq 20");
    BOOST_TEST(box.run("echo not held up").out() == "not held up\n");
    for (const auto& each : jobs) {
        BOOST_TEST(each.running());
    }
    box.run("touch /tmp/go");
    for (int i = 0; i < 20; ++i) {
        BOOST_TEST(jobs[static_cast<std::size_t>(i)].wait().out() == std::to_string(i) + "\n");
    }
}

BOOST_AUTO_TEST_CASE(a_limit_kills_the_whole_tree_and_the_machine_goes_on) {
    auto& box = net.machine("box");
    BOOST_CHECK_EXCEPTION(box.within(1s).run("echo begun; (setsid sleep 1234 &) ; sleep 1234"), timed_out,
                          [](const timed_out& e) {
                              return e.details().what_failed ==
                                         "the command did not end within 1 s; all its "
                                         "processes were killed" &&
                                     e.details().out_tail == "begun\n";
                          });
    BOOST_TEST(box.run("ps | grep -c '[s]leep 1234' || true").out() == "0\n");
}

BOOST_AUTO_TEST_CASE(a_child_that_keeps_the_output_open_holds_nothing_up) {
    auto& box = net.machine("box");
    const auto result = box.run("echo done; sleep 6000 &");
    BOOST_TEST(result.out() == "done\n");
    BOOST_TEST(result.lingering());
    box.run("ps | grep -q '[s]leep 6000'");  // it lives on
}

BOOST_AUTO_TEST_CASE(large_output_is_complete) {
    const auto result = net.machine("box").run("head -c 5000000 /dev/zero | tr '\\0' x; echo end");
    BOOST_TEST(result.out().size() == 5000004U);
    BOOST_TEST(result.out().substr(4999995) == "xxxxxend\n");
}

BOOST_AUTO_TEST_CASE(jobs_can_be_watched_signalled_and_killed) {
    auto& box = net.machine("box");
    auto polite = box.spawn("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.1; done");
    while (polite.out_so_far() != "ready\n") {
        std::this_thread::yield();
    }
    BOOST_TEST(polite.running());
    polite.signal();
    const auto result = polite.wait(30s);
    BOOST_TEST(result.out() == "ready\nbye\n");
    BOOST_TEST(result.exit_code() == 5);
    BOOST_TEST(!polite.running());
    BOOST_TEST(polite.wait(30s).out() == "ready\nbye\n");  // as often as one likes
    auto stubborn = box.spawn("trap '' TERM; sleep 1000");
    stubborn.kill();
    BOOST_TEST(stubborn.wait(30s).signal() == 9);
}

BOOST_AUTO_TEST_CASE(a_reboot_that_cuts_what_is_being_sent_is_survived) {
    auto& box = net.machine("box");
    const auto boot = box.read_file("/proc/sys/kernel/random/boot_id");
    // The agent stops reading once the first file is begun, so the machine boots again while frames for it are stuck
    // half-way.
    box.spawn("until test -e /tmp/file0; do sleep 0.1; done; kill -STOP $PPID; sleep 3; reboot -f");
    std::vector<std::thread> writers;
    for (int i = 0; i < 8; ++i) {
        writers.emplace_back([&box, path = "/tmp/file" + std::to_string(i)] {
            try {
                for (;;) {
                    box.write_file(path, std::string(1'000'000, 'x'));
                }
            } catch (const machine_died&) {
            }
        });
    }
    for (auto& writer : writers) {
        writer.join();
    }
    BOOST_TEST(box.run("cat /proc/sys/kernel/random/boot_id").out() != boot);
}

BOOST_AUTO_TEST_CASE(files_go_both_ways) {
    auto& box = net.machine("box");
    std::string content(3'000'000, '\0');
    for (std::size_t i = 0; i < content.size(); ++i) {
        content[i] = static_cast<char>(i * 7919 >> 5);
    }
    box.write_file("/tmp/data", content, 0751);
    BOOST_TEST((box.read_file("/tmp/data") == content));
    BOOST_TEST(box.run("stat -c %a /tmp/data").out() == "751\n");
    box.write_file("relative", "x");
    BOOST_TEST(box.run("cat /root/relative").out() == "x");
    BOOST_CHECK_EXCEPTION((void)box.read_file("/no/such/file"), guest_error, [](const guest_error& e) {
        return mentions(e, "/no/such/file") && mentions(e, "No such file");
    });
    BOOST_CHECK_EXCEPTION(box.write_file("/no/folder/file", "x"), guest_error,
                          [](const guest_error& e) { return mentions(e, "/no/folder/file"); });
    BOOST_TEST(box.file_exists("/tmp"));
    BOOST_TEST(!box.file_exists("/tmp/nothing"));
}

BOOST_AUTO_TEST_CASE(waits_see_what_comes_and_say_what_does_not) {
    auto& box = net.machine("box");
    box.spawn("sleep 0.5; touch /tmp/late");
    box.wait_for_file("/tmp/late");
    BOOST_CHECK_EXCEPTION(box.within(300ms).wait_for_file("/tmp/never"), timed_out,
                          [](const timed_out& e) { return mentions(e, "/tmp/never"); });
    auto server = box.spawn("sleep 0.5; exec nc -ll -p 4321 -e cat");
    box.wait_for_open_port(4321);
    server.kill();
    box.wait_for_closed_port(4321);
    BOOST_CHECK_EXCEPTION(box.within(300ms).wait_for_open_port(4322), timed_out, [](const timed_out& e) {
        return mentions(e, "accepted connections on port 4322 of its localhost within 0.3 s");
    });
    box.run("ln -s loop /tmp/loop");
    BOOST_CHECK_EXCEPTION(box.within(300ms).wait_for_file("/tmp/loop"), timed_out, [](const timed_out& e) {
        return mentions(e, "/tmp/loop did not appear within 0.3 s; the last attempt: ") &&
               mentions(e, "symbolic links");
    });
    box.spawn("sleep 0.5; echo 42 > /tmp/next; mv /tmp/next /tmp/answer");
    BOOST_TEST(box.wait_until_succeeds("cat /tmp/answer").out() == "42\n");
    box.spawn("sleep 0.3; rm /tmp/answer");
    box.wait_until_fails("cat /tmp/answer");
    BOOST_CHECK_EXCEPTION(box.wait_until_succeeds("echo trying; false", 300ms), timed_out,
                          [](const timed_out& e) { return e.details().out_tail == "trying\n"; });
}

BOOST_AUTO_TEST_CASE(a_wait_that_is_over_during_an_attempt_tells_of_the_one_before) {
    auto& box = net.machine("box");
    BOOST_CHECK_EXCEPTION(
        box.wait_until_succeeds("test -e /tmp/tried && sleep 1000; touch /tmp/tried; echo trying; exit 3", 5s),
        timed_out, [](const timed_out& e) {
            return e.details().out_tail == "trying\n" &&
                   e.details().what_failed ==
                       "the command did not succeed within 5 s; its last attempt exited with code 3";
        });
    BOOST_CHECK_EXCEPTION(box.wait_until_fails("echo waiting; sleep 1000", 1s), timed_out, [](const timed_out& e) {
        return e.details().out_tail == "waiting\n" &&
               e.details().what_failed ==
                   "the command did not fail within 1 s; its first attempt did not come to an end";
    });
    BOOST_TEST(box.run("ps").out().find("sleep 1000") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_command_may_be_long_but_not_endless) {
    auto& box = net.machine("box");
    BOOST_TEST(box.run("printf %s {} | wc -c", std::string(50000, 'x')).out() == "50000\n");
    BOOST_CHECK_THROW(box.run("printf %s {} | wc -c", std::string(70000, 'x')), usage_error);
    box.run("true");  // and nothing is broken by the attempt
}

BOOST_AUTO_TEST_CASE(a_condition_ends_the_verb_that_waits) {
    auto& box = net.machine("box");
    box.run("touch /tmp/healthy");
    auto healthy = polling_condition("the box is healthy", [&] { return box.file_exists("/tmp/healthy"); });
    BOOST_TEST(healthy.during([&] { return box.run("echo fine").out(); }) == "fine\n");
    box.spawn("sleep 1; rm /tmp/healthy");
    BOOST_CHECK_EXCEPTION(healthy.every(200ms).during([&] { box.run("sleep 1234"); }), condition_failed,
                          [](const condition_failed& e) {
                              return mentions(e, "\"the box is healthy\" did not hold") && mentions(e, "commands.cpp:");
                          });
    box.wait_until_fails("ps | grep '[s]leep 1234'", 30s);       // the command is killed
    BOOST_CHECK_THROW(healthy.during([] {}), condition_failed);  // asked at the beginning
}

BOOST_AUTO_TEST_CASE(whatever_a_condition_throws_the_command_is_killed) {
    auto& box = net.machine("box");
    int asked = 0;
    const auto throws = [&](const auto& what) {
        asked = 0;
        return polling_condition("asked once", [&asked, what]() -> bool { return ++asked < 2 ? true : throw what; })
            .every(200ms);
    };
    BOOST_CHECK_THROW(throws(std::runtime_error("a mistake")).during([&] { box.run("sleep 1235"); }),
                      std::runtime_error);
    BOOST_CHECK_EXCEPTION(throws(machine_died("another one died")).during([&] { box.run("sleep 1235"); }), machine_died,
                          [](const machine_died& e) { return e.details().what_failed == "another one died"; });
    box.wait_until_fails("ps | grep '[s]leep 1235'", 30s);
}

BOOST_AUTO_TEST_CASE(a_condition_ends_every_kind_of_wait) {
    auto& box = net.machine("box");
    int asked = 0;
    auto thrice = polling_condition("it was asked less than thrice", [&] { return ++asked < 3; }).every(50ms);
    const auto ends = [&](auto work) {
        asked = 0;
        BOOST_CHECK_THROW(thrice.during(work), condition_failed);
        BOOST_TEST(asked == 3);
    };
    ends([&] { box.wait_for_file("/tmp/never"); });
    ends([&] { box.wait_for_open_port(4711); });
    ends([&] { box.wait_for_console_text("never"); });
    ends([&] { box.wait_until_succeeds("false"); });
    ends([&] { box.spawn("sleep 1000").wait(); });
    ends([&] { polling_condition("inner", [] { return true; }).every(10ms).during([&] { box.run("sleep 1000"); }); });
    ends([&] {
        for (;;) {
            box.run("true");
        }
    });
    asked = 0;
    BOOST_CHECK_EXCEPTION(
        polling_condition("it works", [&]() -> bool { return !box.run("exit 7").failed(); }).during([] {}),
        condition_failed, [](const condition_failed& e) { return mentions(e, "exited with code 7"); });
}

BOOST_AUTO_TEST_CASE(a_step_gives_back_what_its_work_returns) {
    auto& box = net.machine("box");
    const auto text = step("outer", [&] { return step("inner", [&] { return box.run("echo in").out(); }); });
    BOOST_TEST(text == "in\n");
    BOOST_CHECK_THROW(step("fails", [&] { box.run("false"); }), command_failed);
}

BOOST_AUTO_TEST_SUITE_END()
