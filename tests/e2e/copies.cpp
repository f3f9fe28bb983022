// SPDX-License-Identifier: BSL-1.0
// Files and folders between host and guest, also in a checkpoint's body.
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/file_content.hpp>
#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;
using detail::content_of;
namespace fs = std::filesystem;

using lone = network<machine<"box", memory<128_MiB>>>;

namespace {

/// A folder of the host that goes with the program.
const fs::path& host_folder() {
    static const struct folder {
        folder() : path(fs::path("vmdsl-copies-" + std::to_string(::getpid()))) {
            fs::create_directories(path / "tree/deep");
            std::ofstream(path / "tree/script") << "#!/bin/sh\necho ran\n";
            fs::permissions(path / "tree/script", fs::perms{0750});
            std::ofstream(path / "tree/deep/large") << std::string(3'000'000, 'x');
            fs::create_symlink("../script", path / "tree/deep/link");
        }
        ~folder() {
            std::error_code ignored;
            fs::permissions(path / "locked", fs::perms{0700}, ignored);
            fs::permissions(path / "locked/in", fs::perms{0700}, ignored);
            fs::remove_all(path);
        }
        fs::path path;
    } the_folder;
    return the_folder.path;
}

bool mentions(const std::exception& problem, std::string_view text) {
    return std::string_view(problem.what()).find(text) != std::string_view::npos;
}

}  // namespace

struct ready : checkpoint<lone> {
    fs::path fetched;

    void prepare() {
        net.start();
        auto& box = net.machine("box");
        box.copy_from_host(host_folder() / "tree", "/opt-tree");
        box.run("echo first > /tmp/made");
        fetched = box.copy_to_host("/tmp/made", "made-in-prepare");
        box.run("mkdir -p /tmp/locked/in && echo x > /tmp/locked/in/file && chmod 555 /tmp/locked/in /tmp/locked");
        box.copy_to_host("/tmp/locked", fs::absolute(host_folder() / "locked"));
        box.run("true");
    }
};

BOOST_FIXTURE_TEST_SUITE(copies, restored<ready>)

BOOST_AUTO_TEST_CASE(a_folder_arrives_with_modes_and_links) {
    auto& box = net.machine("box");
    BOOST_TEST(box.run("/opt-tree/deep/link").out() == "ran\n");
    BOOST_TEST(box.run("stat -c %a-%u /opt-tree/script").out() == "750-0\n");
    BOOST_TEST(box.run("wc -c < /opt-tree/deep/large").out() == "3000000\n");
    BOOST_TEST(content_of(fetched) == "first\n");
    fs::remove(fetched);
}

BOOST_AUTO_TEST_CASE(what_a_body_copied_to_the_host_is_there_for_each_case) {
    BOOST_TEST(content_of(fetched) == "first\n");
    net.machine("box").run("echo second > /tmp/made");
    net.machine("box").copy_to_host("/tmp/made", fetched);
    BOOST_TEST(content_of(fetched) == "second\n");
    BOOST_TEST(content_of(host_folder() / "locked/in/file") == "x\n");
    BOOST_TEST((fs::status(host_folder() / "locked/in").permissions() == fs::perms{0555}));
}

BOOST_AUTO_TEST_CASE(folders_and_large_files_come_back) {
    auto& box = net.machine("box");
    box.run(
        "mkdir -p logs/old && seq 1 100000 > logs/numbers && ln -s numbers logs/last && mkfifo logs/pipe"
        " && ln -s /etc/passwd logs/out && for i in $(seq 1 300); do echo $i > logs/old/$i; done");
    const auto logs = box.copy_to_host("logs", "logs");
    BOOST_TEST(logs.is_absolute());
    BOOST_TEST(fs::file_size(logs / "last") == 588895U);
    BOOST_TEST(std::distance(fs::directory_iterator(logs / "old"), {}) == 300);
    BOOST_TEST(content_of(logs / "old/299") == "299\n");
    BOOST_TEST(!fs::exists(fs::symlink_status(logs / "out")));
    BOOST_TEST(!fs::exists(fs::symlink_status(logs / "pipe")));
    fs::remove_all(logs);
    box.run("dd if=/dev/zero of=/tmp/zeros bs=1M count=12 2>/dev/null");
    const auto zeros = box.copy_to_host("/tmp/zeros", "zeros");
    BOOST_TEST(fs::file_size(zeros) == 12U << 20);
    box.copy_from_host(zeros, "/tmp/back");
    box.run("cmp /tmp/zeros /tmp/back");
    fs::remove(zeros);
}

BOOST_AUTO_TEST_CASE(failures_name_both_sides) {
    auto& box = net.machine("box");
    BOOST_CHECK_EXCEPTION(box.copy_from_host("no-such-file", "/tmp/x"), usage_error, [](const usage_error& e) {
        return mentions(e, "no-such-file") && mentions(e, "No such file");
    });
    BOOST_CHECK_EXCEPTION(box.copy_to_host("/no/such/file", "x"), guest_error, [](const guest_error& e) {
        return mentions(e, "/no/such/file") && mentions(e, "copies.cpp:") && mentions(e, "\"box\"");
    });
    BOOST_CHECK_EXCEPTION(
        box.copy_from_host(host_folder() / "tree/script", "/tmp"), guest_error,
        [](const guest_error& e) { return mentions(e, "/tmp: Is a directory") && mentions(e, "Name"); });
    BOOST_CHECK_EXCEPTION(box.copy_to_host("/etc/passwd", "no-such-folder/x"), usage_error,
                          [](const usage_error& e) { return mentions(e, "no-such-folder") && mentions(e, "\"box\""); });
    box.run("mount -t tmpfs -o size=1m none /mnt");
    BOOST_CHECK_EXCEPTION(box.copy_from_host(host_folder() / "tree", "/mnt/tree"), guest_error,
                          [](const guest_error& e) { return mentions(e, "No space left"); });
    // It ends as soon as the guest has failed, however much there is still to read.
    const auto endless = host_folder() / "endless";
    std::ofstream(endless) << 'x';
    fs::resize_file(endless, std::uintmax_t{1} << 40);
    BOOST_CHECK_EXCEPTION(box.copy_from_host(endless, "/mnt/endless"), guest_error,
                          [](const guest_error& e) { return mentions(e, "No space left"); });
    BOOST_CHECK_THROW(box.within(50ms).copy_to_host("/dev/../sys/kernel", "never"), timed_out);
    box.run("true");  // the machine stays usable
}

BOOST_AUTO_TEST_CASE(the_death_of_the_machine_ends_a_copy) {
    auto& box = net.machine("box");
    box.run("dd if=/dev/zero of=/tmp/zeros bs=1M count=20 2>/dev/null");
    box.spawn("echo 1 > /proc/sys/kernel/sysrq; sleep 0.3; echo c > /proc/sysrq-trigger");
    BOOST_CHECK_EXCEPTION(
        for (;;) { box.copy_to_host("/tmp/zeros", "cut-off"); }, machine_died,
        [](const machine_died& e) { return mentions(e, "its kernel panicked"); });
    fs::remove(fs::path(fetched).replace_filename("cut-off"));
}

BOOST_AUTO_TEST_SUITE_END()
