// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/child.hpp>
#include <vmdsl/process/io_loop.hpp>

using namespace vmdsl;

namespace {

/// From now on this thread gets no pidfd, as where the process has no descriptor left.
void refuse_pidfd_open() {
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EMFILE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{sizeof steps / sizeof *steps, steps};
    BOOST_REQUIRE(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    BOOST_REQUIRE(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(child_test)

BOOST_AUTO_TEST_CASE(how_it_ended_is_told_with_its_last_words) {
    const auto end =
        run_program("/bin/sh", {"-c", "echo out; echo err >&2; exit 3"}, deadline::in(std::chrono::seconds(30)));
    BOOST_TEST(end.code == 3);
    BOOST_TEST(end.signal == 0);
    BOOST_TEST(end.output_tail == "out\nerr\n");
}

BOOST_AUTO_TEST_CASE(one_that_can_not_be_watched_does_not_run) {
    if (std::getenv("VMDSL_TEST_WITHOUT_PIDFD") == nullptr) {
        // Once more in a process of its own, because what refuses the descriptor stays.
        const auto end =
            run_program("/usr/bin/env",
                        {"VMDSL_TEST_WITHOUT_PIDFD=1", std::filesystem::read_symlink("/proc/self/exe").string(),
                         "--run_test=child_test/one_that_can_not_be_watched_does_not_run"},
                        deadline::in(std::chrono::seconds(60)));
        BOOST_TEST(end.code == 0, end.output_tail);
        BOOST_TEST(end.signal == 0, end.output_tail);
        return;
    }
    io_loop::instance().call(refuse_pidfd_open);
    BOOST_CHECK_THROW((void)child::start({"/bin/sleep", {"1000"}, {}, {}, 8192}), could_not_run);
    BOOST_TEST(::waitpid(-1, nullptr, WNOHANG) == -1);
    BOOST_TEST(errno == ECHILD);
}

BOOST_AUTO_TEST_SUITE_END()
