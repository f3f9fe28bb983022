// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/guardian.hpp>

namespace {

namespace fs = std::filesystem;
using namespace vmdsl;

/// A guardian's own life in a forked child. Tests of the whole, re-executed, are those of the reports.
class watched {
public:
    explicit watched(guarded_run run) {
        int life[2];
        int report[2];
        BOOST_REQUIRE(::pipe2(life, O_CLOEXEC) == 0);
        BOOST_REQUIRE(::pipe2(report, O_CLOEXEC) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(life[1]);
            ::close(report[0]);
            ::_exit(detail::watch_over(run, unique_fd(life[0]), unique_fd(report[1])));
        }
        ::close(life[0]);
        ::close(report[1]);
        life_.reset(life[1]);
        const unique_fd reader(report[0]);
        char buffer[1024];
        for (ssize_t n = 0; (n = ::read(reader.get(), buffer, sizeof buffer)) > 0;) {
            report_.append(buffer, static_cast<std::size_t>(n));
        }
    }

    [[nodiscard]] const std::string& report() const { return report_; }
    [[nodiscard]] fs::path scratch() const { return report_.substr(1, report_.size() - 2); }

    int end() {
        life_.reset();
        int status = -1;
        ::waitpid(pid_, &status, 0);
        return status;
    }

private:
    pid_t pid_ = -1;
    unique_fd life_;
    std::string report_;
};

guarded_run make_run(bool keep = false) {
    return {detail::make_run_id(), current_run().scratch_directory, keep};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guardian_)

BOOST_AUTO_TEST_CASE(makes_the_folder_and_removes_it_at_the_end) {
    const auto run = make_run();
    watched guardian(run);
    BOOST_TEST(guardian.report() == "+" + (run.base / (detail::scratch_prefix() + run.id)).string() + "\n");
    fs::create_directories(guardian.scratch() / "a" / "b");
    BOOST_TEST(guardian.end() == 0);
    BOOST_TEST(!fs::exists(guardian.scratch()));
}

BOOST_AUTO_TEST_CASE(ends_the_runs_processes) {
    const auto run = make_run();
    watched guardian(run);
    std::string name = "sleep";
    std::string time = "1000";
    std::string mark = "VMDSL_RUN_ID=" + run.id;
    char* const arguments[] = {name.data(), time.data(), nullptr};
    char* const environment[] = {mark.data(), nullptr};
    pid_t pid = -1;
    BOOST_REQUIRE(::posix_spawnp(&pid, "sleep", nullptr, nullptr, arguments, environment) == 0);
    BOOST_TEST(guardian.end() == 0);
    int status = 0;
    BOOST_TEST(::waitpid(pid, &status, WNOHANG) == pid);
    BOOST_TEST(WIFSIGNALED(status));
}

BOOST_AUTO_TEST_CASE(keeps_the_folder_when_asked_to) {
    watched guardian(make_run(true));
    BOOST_TEST(guardian.end() == 0);
    BOOST_TEST(fs::is_directory(guardian.scratch()));
}

BOOST_AUTO_TEST_CASE(says_why_there_is_no_folder) {
    watched guardian({detail::make_run_id(), "/proc/nowhere", false});
    BOOST_TEST(guardian.report().starts_with("-can't make the scratch folder /proc/nowhere/"));
    BOOST_TEST(WEXITSTATUS(guardian.end()) == 1);
}

BOOST_AUTO_TEST_CASE(sweeps_what_an_earlier_run_left) {
    auto run = make_run();
    run.base /= "sweeps";
    const auto abandoned = run.base / (detail::scratch_prefix() + "abandoned");
    fs::create_directories(abandoned);
    watched guardian(run);
    while (fs::exists(abandoned)) {  // the guardian does it after its report, before it looks for the end
        ::usleep(1000);
    }
    BOOST_TEST(guardian.end() == 0);
}

BOOST_AUTO_TEST_CASE(wrong_arguments_are_refused) {
    BOOST_TEST(detail::guardian_main({}) == 64);
    BOOST_TEST(detail::guardian_main({"id", "/tmp", "remove", "3"}) == 64);
}

BOOST_AUTO_TEST_SUITE_END()
