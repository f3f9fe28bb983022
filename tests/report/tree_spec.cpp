// SPDX-License-Identifier: BSL-1.0
// A spec whose cases leave processes and files behind: children in sessions of their own, grandchildren whose parent is
// gone, stopped ones, and folders that nobody may enter.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/run_options.hpp>

namespace {

[[noreturn]] void live_on() {
    ::execlp("sleep", "sleep", "1000", static_cast<char*>(nullptr));
    ::_exit(127);
}

void start_daemon() {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setsid();
        if (::fork() == 0) {
            live_on();
        }
        ::_exit(0);
    }
    ::waitpid(pid, nullptr, 0);
}

void start_child(int signal) {
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::setsid();
        live_on();
    }
    ::kill(pid, signal);
}

void leave_files(int number) {
    const auto folder = vmdsl::current_run().scratch_directory / std::to_string(number);
    std::filesystem::create_directories(folder / "inner");
    std::ofstream(folder / "inner" / "file") << "bytes";
    std::filesystem::create_symlink("/", folder / "link");
    ::chmod((folder / "inner").c_str(), 0);
}

}  // namespace

BOOST_DATA_TEST_CASE(leaves_things_behind, boost::unit_test::data::xrange(40), number) {
    start_daemon();
    start_child(0);
    start_child(SIGSTOP);
    leave_files(number);
    ::usleep(10'000);
    BOOST_TEST(true);
}
