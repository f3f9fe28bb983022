// SPDX-License-Identifier: BSL-1.0
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/run_processes.hpp>

namespace {

using namespace std::literals;
using namespace vmdsl;

/// A "sleep" of its own session with this environment; the caller reaps it.
pid_t start_sleeper(std::vector<std::string> environment) {
    std::vector<char*> pointers;
    for (auto& entry : environment) {
        pointers.push_back(entry.data());
    }
    pointers.push_back(nullptr);
    std::string name = "sleep";
    std::string time = "1000";
    char* const arguments[] = {name.data(), time.data(), nullptr};
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    pid_t pid = -1;
    BOOST_REQUIRE(::posix_spawnp(&pid, "sleep", nullptr, &attributes, arguments, pointers.data()) == 0);
    ::posix_spawnattr_destroy(&attributes);
    return pid;
}

bool is_alive(pid_t pid) {
    return ::waitpid(pid, nullptr, WNOHANG) == 0;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_processes)

BOOST_AUTO_TEST_CASE(an_environment_carries_an_id_as_a_whole_item_of_the_list) {
    const auto carries = [](std::string_view environment) { return detail::carries_run_id(environment, "abc"); };
    BOOST_TEST(carries("VMDSL_RUN_ID=abc\0"sv));
    BOOST_TEST(carries("PATH=/bin\0VMDSL_RUN_ID=abc\0HOME=/\0"sv));
    BOOST_TEST(carries("VMDSL_RUN_ID=outer:abc\0"sv));
    BOOST_TEST(carries("VMDSL_RUN_ID=abc:inner"sv));  // a block that was cut
    BOOST_TEST(!carries(""sv));
    BOOST_TEST(!carries("VMDSL_RUN_ID=\0"sv));
    BOOST_TEST(!carries("VMDSL_RUN_ID"sv));
    BOOST_TEST(!carries("VMDSL_RUN_ID=abcd\0"sv));
    BOOST_TEST(!carries("VMDSL_RUN_ID=xabc:abcx\0"sv));
    BOOST_TEST(!carries("MY_VMDSL_RUN_ID=abc\0"sv));
    BOOST_TEST(!carries("VMDSL_RUN_ID_2=abc\0"sv));
    BOOST_TEST(!carries("\0\0=abc\0"sv));
}

BOOST_AUTO_TEST_CASE(only_the_runs_own_processes_are_ended) {
    const auto id = detail::make_run_id();
    const pid_t ours = start_sleeper({"VMDSL_RUN_ID=" + id});
    const pid_t inner = start_sleeper({"HOME=/", "VMDSL_RUN_ID=" + id + ":inner"});
    const pid_t stopped = start_sleeper({"VMDSL_RUN_ID=" + id});
    const pid_t other = start_sleeper({"VMDSL_RUN_ID=x" + id});
    const pid_t bare = start_sleeper({});
    ::kill(stopped, SIGSTOP);
    BOOST_TEST(detail::end_run_processes(id, std::chrono::seconds(10)));
    for (const pid_t pid : {ours, inner, stopped}) {
        int status = 0;
        BOOST_TEST(::waitpid(pid, &status, WNOHANG) == pid);
        BOOST_TEST(WIFSIGNALED(status));
    }
    for (const pid_t pid : {other, bare}) {
        BOOST_TEST(is_alive(pid));
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
}

BOOST_AUTO_TEST_CASE(nothing_to_end_is_done_at_once) {
    BOOST_TEST(detail::end_run_processes(detail::make_run_id(), std::chrono::seconds(10), 1));
}

BOOST_AUTO_TEST_CASE(own_children_are_listed) {
    const pid_t pid = start_sleeper({});
    if (const auto children = detail::own_children()) {
        BOOST_TEST(std::count(children->begin(), children->end(), pid) == 1);
    }
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
}

BOOST_AUTO_TEST_CASE(an_environment_is_changed_by_name) {
    ::setenv("VMDSL_UNIT_TEST", "old", 1);
    const auto environment = detail::environment_with({"VMDSL_UNIT_TEST=new", "VMDSL_UNIT_TEST_2=x"});
    ::unsetenv("VMDSL_UNIT_TEST");
    const auto count = [&](const std::string& entry) {
        return std::count(environment.begin(), environment.end(), entry);
    };
    BOOST_TEST(count("VMDSL_UNIT_TEST=new") == 1);
    BOOST_TEST(count("VMDSL_UNIT_TEST=old") == 0);
    BOOST_TEST(count("VMDSL_UNIT_TEST_2=x") == 1);
    BOOST_TEST(count(std::string("PATH=") + ::getenv("PATH")) == 1);
}

BOOST_AUTO_TEST_SUITE_END()
