// SPDX-License-Identifier: BSL-1.0
// Verbs of one and of several machines from several threads, in a checkpoint's body and in cases.
#include <atomic>
#include <future>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using pair = network<machine<"alice", memory<128_MiB>>, machine<"bob", memory<128_MiB>>>;

struct ready : checkpoint<pair> {
    std::string alice_said;
    std::string bob_said;
    bool watched = false;
    std::vector<std::string> both_said = std::vector<std::string>(6);

    void prepare() {
        net.start();
        {
            // Each on a machine of its own, which it asks in its own order.
            const std::jthread one([this] { talk(net.machine("alice"), alice_said); });
            const std::jthread other([this] { talk(net.machine("bob"), bob_said); });
            // What is asked while the body is replayed is asked by nobody, whichever thread it would be.
            const std::jthread watcher([this] { watch(net.machine("alice"), watched); });
        }
        // All on one machine.
        std::vector<std::jthread> several;
        for (std::size_t i = 0; i < both_said.size(); ++i) {
            several.emplace_back([this, i] {
                auto& alice = net.machine("alice");
                alice.run("echo {} > /tmp/{}", i, i);
                both_said[i] = alice.read_file("/tmp/" + std::to_string(i));
                alice.run("true");
            });
        }
    }

private:
    static void watch(guest& box, bool& fine) {
        try {
            polling_condition("it answers", [&] { return box.file_exists("/"); }).during([] {});
            fine = true;
        } catch (const error& problem) {
            BOOST_TEST_MESSAGE(problem.what());
        }
    }
    static void talk(guest& box, std::string& said) {
        for (int i = 0; i < 10; ++i) {
            box.write_file("/tmp/count", std::to_string(i));
            said += box.run("cat /tmp/count").out();
        }
        said += box.run("hostname").out();
    }
};

BOOST_FIXTURE_TEST_SUITE(threads, restored<ready>)

BOOST_AUTO_TEST_CASE(every_case_gets_what_each_thread_heard) {
    BOOST_TEST(watched);
    BOOST_TEST(alice_said == "0123456789alice\n");
    BOOST_TEST(bob_said == "0123456789bob\n");
    for (std::size_t i = 0; i < both_said.size(); ++i) {
        BOOST_TEST(both_said[i] == std::to_string(i) + "\n");
    }
}

BOOST_AUTO_TEST_CASE(and_so_does_the_next) {
    BOOST_TEST(alice_said == "0123456789alice\n");
    BOOST_TEST(bob_said == "0123456789bob\n");
    for (std::size_t i = 0; i < both_said.size(); ++i) {
        BOOST_TEST(both_said[i] == std::to_string(i) + "\n");
    }
}

BOOST_AUTO_TEST_CASE(a_case_may_use_threads_too) {
    auto& alice = net.machine("alice");
    std::vector<std::string> names(8);
    {
        std::vector<std::jthread> several;
        for (std::size_t i = 0; i < names.size(); ++i) {
            auto& box = i % 2 == 0 ? alice : net.machine("bob");
            several.emplace_back([&, i] { names[i] = box.run("hostname").out(); });
        }
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        BOOST_TEST(names[i] == (i % 2 == 0 ? "alice\n" : "bob\n"));
    }
}

BOOST_AUTO_TEST_CASE(power_verbs_meet_each_other) {
    auto& alice = net.machine("alice");
    auto& bob = net.machine("bob");
    {
        const std::jthread other([&] { bob.crash().start(); });
        alice.crash().start();
        BOOST_CHECK_THROW(alice.start(), usage_error);
    }
    alice.run("ping -c 1 -W 10 bob");
}

BOOST_AUTO_TEST_CASE(only_one_thread_at_a_time_reboots_a_machine) {
    auto& alice = net.machine("alice");
    std::latch together(2);
    std::atomic<int> rebooted{0};
    std::atomic<int> refused{0};
    const auto reboot = [&] {
        together.arrive_and_wait();
        try {
            alice.reboot();
            ++rebooted;
        } catch (const usage_error&) {
            ++refused;
        }
    };
    {
        auto other = std::async(std::launch::async, reboot);
        reboot();
        other.get();
    }
    BOOST_TEST(rebooted + refused == 2);
    BOOST_TEST(rebooted >= 1);
    alice.run("true");
}

BOOST_AUTO_TEST_CASE(the_power_goes_while_a_command_runs) {
    auto& alice = net.machine("alice");
    auto job = alice.spawn("sleep 300");
    const std::jthread other([&] { alice.crash(); });
    BOOST_CHECK_THROW(job.wait(), machine_died);
}

BOOST_AUTO_TEST_SUITE_END()
