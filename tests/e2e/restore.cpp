// SPDX-License-Identifier: BSL-1.0
// Every case starts from the checkpoint: memory, files, disks, links, running jobs, connections, members.
#include <chrono>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using pair = network<machine<"alice", memory<128_MiB>, disk<"data", 64_MiB>>, machine<"bob", memory<128_MiB>>,
                     machine<"spare", memory<128_MiB>>>;

namespace {

int bodies_run = 0;
std::set<std::string> seeds;

bool was_switched_off(const machine_died& death) {
    return death.details().what_failed == "was switched off";
}

/// Since 1970, rounded down.
long long seconds_of_the_host() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::floor<std::chrono::seconds>(now).count();
}

}  // namespace

struct ready : checkpoint<pair> {
    std::string kernel;
    long long prepared_at = 0;
    std::vector<int> appended;
    std::optional<job> counter;
    std::optional<job> finished;
    std::optional<job> unasked;
    std::optional<job> talker;
    std::optional<job> of_boot_before;

    void prepare() {
        ++bodies_run;
        prepared_at = seconds_of_the_host();
        net.machine("alice").start();
        net.machine("bob").start();
        of_boot_before = net.machine("bob").spawn("sleep 1000");
        net.machine("bob").crash().start();  // its next job gets the same stream
        auto& alice = net.machine("alice");
        kernel = alice.run("uname -r").out();
        appended.push_back(1);
        BOOST_TEST(alice.execute("exit 4").exit_code() == 4);
        // A raw disk write, a file in memory, a running job, an open connection, a cut link.
        alice.run(
            "d=$(grep -l data /sys/block/vd*/serial | cut -d/ -f4); echo $d > /tmp/disk;"
            " printf before | dd of=/dev/$d conv=notrunc 2>/dev/null; sync");
        counter =
            alice.spawn("i=0; while sleep 0.2; do i=$((i+1)); echo $i > /tmp/next; mv /tmp/next /tmp/count; done");
        alice.wait_for_file("/tmp/count");
        finished = alice.spawn("echo short");
        BOOST_TEST(finished->wait().out() == "short\n");
        unasked = alice.spawn("echo out; echo err >&2; exit 3");
        talker = alice.spawn("echo before; echo warning >&2; while ! test -e /tmp/go; do sleep 0.1; done; echo after");
        for (const auto until = deadline::in(60s); talker->out_so_far() != "before\n";) {
            BOOST_REQUIRE(!until.expired());
        }
        net.machine("bob").spawn("nc -ll -p 700 -e cat");
        net.machine("bob").wait_for_open_port(700);
        alice.spawn("mkfifo /tmp/in; (while :; do cat /tmp/in; done) | nc bob 700 > /tmp/echoed");
        alice.wait_for_file("/tmp/in");
        alice.run("echo first > /tmp/in");
        alice.wait_until_succeeds("grep -q first /tmp/echoed", 30s);
    }
};

BOOST_FIXTURE_TEST_SUITE(restore, restored<ready>)

BOOST_AUTO_TEST_CASE(writes_of_one_case) {
    auto& alice = net.machine("alice");
    BOOST_TEST(!alice.file_exists("/tmp/dirty"));
    alice.run("echo x > /tmp/dirty; printf after! | dd of=/dev/$(cat /tmp/disk) conv=notrunc 2>/dev/null; sync");
    BOOST_TEST(alice.run("head -c 6 /dev/$(cat /tmp/disk)").out() == "after!");
    net.machine("bob").write_file("/tmp/dirty", "x");
    net.link("bob").cut();
}

BOOST_AUTO_TEST_CASE(are_never_seen_by_the_next) {
    auto& alice = net.machine("alice");
    BOOST_TEST(!alice.file_exists("/tmp/dirty"));
    BOOST_TEST(!net.machine("bob").file_exists("/tmp/dirty"));
    alice.run("echo 3 > /proc/sys/vm/drop_caches");  // not the page cache, the disk itself
    BOOST_TEST(alice.run("head -c 6 /dev/$(cat /tmp/disk)").out() == "before");
    alice.run("ping -c 1 -W 10 bob");
}

BOOST_AUTO_TEST_CASE(members_are_what_the_body_made_them) {
    BOOST_TEST(kernel == net.machine("alice").run("uname -r").out());
    BOOST_TEST(appended.size() == 1U);
    BOOST_TEST(bodies_run >= 2);
}

BOOST_AUTO_TEST_CASE(a_job_goes_on_and_can_be_taken_part_in) {
    auto& alice = net.machine("alice");
    BOOST_REQUIRE(counter.has_value());
    BOOST_TEST(counter->running());
    const auto before = std::stoi(alice.read_file("/tmp/count"));
    alice.wait_until_succeeds("test $(cat /tmp/count) -gt " + std::to_string(before + 1), 30s);
    counter->kill();
    BOOST_TEST(counter->wait(30s).signal() == 9);
}

BOOST_AUTO_TEST_CASE(a_job_that_had_ended_says_so_at_once) {
    BOOST_REQUIRE(finished.has_value());
    BOOST_TEST(!finished->running());
    BOOST_TEST(finished->wait().out() == "short\n");
    BOOST_TEST(finished->wait().exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(a_job_that_nobody_had_waited_for_has_its_result) {
    BOOST_REQUIRE(unasked.has_value());
    const auto result = unasked->wait();
    BOOST_TEST(result.out() == "out\n");
    BOOST_TEST(result.err() == "err\n");
    BOOST_TEST(result.exit_code() == 3);
}

BOOST_AUTO_TEST_CASE(a_job_keeps_what_it_had_printed) {
    BOOST_REQUIRE(talker.has_value());
    BOOST_TEST(talker->out_so_far() == "before\n");
    net.machine("alice").run("touch /tmp/go");
    const auto result = talker->wait();
    BOOST_TEST(result.out() == "before\nafter\n");
    BOOST_TEST(result.err() == "warning\n");
}

BOOST_AUTO_TEST_CASE(a_job_of_a_boot_before_the_checkpoint_died_with_it) {
    BOOST_REQUIRE(of_boot_before.has_value());
    BOOST_CHECK_EXCEPTION((void)of_boot_before->wait(30s), machine_died, was_switched_off);
    BOOST_CHECK_EXCEPTION((void)of_boot_before->running(), machine_died, was_switched_off);
}

BOOST_AUTO_TEST_CASE(a_connection_between_machines_survives) {
    auto& alice = net.machine("alice");
    BOOST_TEST(alice.run("cat /tmp/echoed").out() == "first\n");
    alice.run("echo second > /tmp/in");
    alice.wait_until_succeeds("grep -q second /tmp/echoed", 30s);
}

BOOST_AUTO_TEST_CASE(a_machine_that_was_off_can_be_started) {
    BOOST_TEST(!net.machine("spare").running());
    net.machine("spare").start().run("ping -c 1 -W 10 alice");
}

BOOST_AUTO_TEST_CASE(a_restored_machine_reboots_and_crashes_as_any_other) {
    auto& alice = net.machine("alice");
    alice.run("printf kept!! | dd of=/dev/$(cat /tmp/disk) conv=notrunc,fsync 2>/dev/null");
    const auto disk = alice.run("cat /tmp/disk").out();
    alice.reboot();
    BOOST_TEST(alice.run("head -c 6 /dev/" + disk).out() == "kept!!");
    alice.crash();
    BOOST_TEST(!alice.running());
    alice.start();
    BOOST_CHECK_EXCEPTION((void)unasked->wait(30s), machine_died, was_switched_off);
    BOOST_TEST(alice.run("head -c 6 /dev/" + disk).out() == "kept!!");
    alice.run("ping -c 1 -W 10 bob");
}

// Two cases that draw random bytes: clones of one memory must not draw the same.
BOOST_AUTO_TEST_CASE(random_bytes_once) {
    BOOST_TEST(seeds.insert(net.machine("alice").run("head -c 16 /dev/urandom | md5sum").out()).second);
}

BOOST_AUTO_TEST_CASE(random_bytes_twice) {
    BOOST_TEST(seeds.insert(net.machine("alice").run("head -c 16 /dev/urandom | md5sum").out()).second);
}

BOOST_AUTO_TEST_CASE(the_clock_is_right) {
    const auto guest = std::stoll(net.machine("alice").run("date +%s").out());
    // The guest got the host's time after the body was replayed. It may be behind by what that took on its way.
    BOOST_TEST(guest >= prepared_at);
    BOOST_TEST(guest <= seconds_of_the_host());
}

BOOST_AUTO_TEST_SUITE_END()
