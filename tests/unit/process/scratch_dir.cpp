// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <spawn.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/scratch_dir.hpp>

namespace {

namespace fs = std::filesystem;
using namespace vmdsl;

fs::path make_base(const std::string& name) {
    const auto base = current_run().scratch_directory / name;
    fs::create_directory(base);
    return base;
}

const auto never = [] { return false; };

}  // namespace

BOOST_AUTO_TEST_SUITE(scratch_dir_)

BOOST_AUTO_TEST_CASE(a_scratch_folder_lives_as_long_as_its_object) {
    const auto base = make_base("lives");
    fs::path path;
    {
        const scratch_dir scratch(base, "id");
        path = scratch.path();
        BOOST_TEST(path == base / (detail::scratch_prefix() + "id"));
        fs::create_directories(path / "a" / "b");
    }
    BOOST_TEST(!fs::exists(path));
}

BOOST_AUTO_TEST_CASE(a_kept_folder_stays_and_is_never_swept) {
    const auto base = make_base("kept");
    fs::path path;
    {
        const scratch_dir scratch(base, "id", true);
        path = scratch.path();
    }
    BOOST_TEST(sweep_scratch(base, never) == 0U);
    BOOST_TEST(fs::is_directory(path));
}

BOOST_AUTO_TEST_CASE(a_sweep_removes_what_nobody_uses_and_nothing_else) {
    const auto base = make_base("swept");
    const auto prefix = detail::scratch_prefix();
    const scratch_dir used(base, "used");
    fs::create_directories(base / (prefix + "abandoned") / "inner");
    fs::create_directory(base / "vmdsl-other");
    fs::create_directory(base / prefix);
    fs::create_directory(base / "elsewhere");
    std::ofstream(base / "elsewhere" / "file") << "bytes";
    fs::create_symlink(base / "elsewhere", base / (prefix + "link"));
    std::ofstream(base / (prefix + "file")) << "bytes";
    BOOST_TEST(sweep_scratch(base, never) == 1U);
    BOOST_TEST(!fs::exists(base / (prefix + "abandoned")));
    for (const auto& name : {prefix + "used", std::string("vmdsl-other"), prefix, prefix + "link", prefix + "file",
                             std::string("elsewhere/file")}) {
        BOOST_TEST(fs::exists(base / name), name);
    }
}

BOOST_AUTO_TEST_CASE(a_sweep_ends_the_processes_of_the_abandoned_run) {
    const auto base = make_base("processes");
    const auto id = detail::make_run_id();
    fs::create_directory(base / (detail::scratch_prefix() + id));
    std::string name = "sleep";
    std::string time = "1000";
    std::string mark = "VMDSL_RUN_ID=" + id;
    char* const arguments[] = {name.data(), time.data(), nullptr};
    char* const environment[] = {mark.data(), nullptr};
    pid_t pid = -1;
    BOOST_REQUIRE(::posix_spawnp(&pid, "sleep", nullptr, nullptr, arguments, environment) == 0);
    BOOST_TEST(sweep_scratch(base, never) == 1U);
    int status = 0;
    BOOST_TEST(::waitpid(pid, &status, WNOHANG) == pid);
    BOOST_TEST(WIFSIGNALED(status));
}

BOOST_AUTO_TEST_CASE(a_sweep_can_be_stopped_and_survives_a_base_that_is_not_there) {
    const auto base = make_base("stopped");
    fs::create_directory(base / (detail::scratch_prefix() + "abandoned"));
    BOOST_TEST(sweep_scratch(base, [] { return true; }) == 0U);
    BOOST_TEST(fs::exists(base / (detail::scratch_prefix() + "abandoned")));
    BOOST_TEST(sweep_scratch(base / "nowhere", never) == 0U);
}

BOOST_AUTO_TEST_CASE(a_base_that_cannot_be_written_says_so) {
    BOOST_CHECK_EXCEPTION(scratch_dir("/proc/nowhere", "id"), could_not_run, [](const could_not_run& e) {
        return e.details().what_failed.find("/proc/nowhere") != std::string::npos && !e.details().hint.empty();
    });
}

BOOST_AUTO_TEST_SUITE_END()
