// SPDX-License-Identifier: BSL-1.0
// systemd's units, and what is said where there is no systemd.
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<machine<"debian", image<"svn-client">, memory<512_MiB>>, machine<"tiny", memory<128_MiB>>>;

namespace {

bool mentions(const std::exception& problem, std::string_view text) {
    return std::string_view(problem.what()).find(text) != std::string_view::npos;
}

}  // namespace

struct ready : checkpoint<lab> {
    std::int64_t pid = 0;

    void prepare() {
        net.start();
        auto& debian = net.machine("debian");
        BOOST_TEST(debian.unit_info("multi-user.target").exists());  // the agent is up earlier than systemd
        debian.write_file("/etc/systemd/system/good.service", "[Service]\nExecStart=sleep infinity\n");
        debian.write_file("/etc/systemd/system/bad.service",
                          "[Service]\nType=oneshot\nExecStart=sh -c 'echo the reason >&2; exit 3'\n");
        debian.write_file("/etc/systemd/system/slow.service", "[Service]\nType=oneshot\nExecStart=sleep 1000\n");
        debian.wait_for_unit("multi-user.target").run("systemctl daemon-reload");
        debian.start_job("good.service");
        pid = debian.unit_info("good.service").main_pid();
    }
};

BOOST_FIXTURE_TEST_SUITE(units, restored<ready>)

BOOST_AUTO_TEST_CASE(a_unit_is_stopped_and_started) {
    auto& debian = net.machine("debian");
    const auto info = debian.unit_info("good.service");
    BOOST_TEST(info.active());
    BOOST_TEST(info.sub_state() == "running");
    BOOST_TEST(info.main_pid() == pid);
    debian.run("test -d /proc/{}", pid);
    debian.stop_job("good.service");
    BOOST_TEST(!debian.unit_info("good.service").active());
    BOOST_TEST(!debian.file_exists("/proc/" + std::to_string(pid)));
    debian.stop_job("good.service");  // once more changes nothing
    debian.start_job("good.service").wait_for_unit("good.service");
    BOOST_TEST(debian.unit_info("good.service").main_pid() != pid);
}

BOOST_AUTO_TEST_CASE(a_unit_that_fails_says_why) {
    auto& debian = net.machine("debian");
    BOOST_CHECK_EXCEPTION(debian.start_job("bad.service"), guest_error, [](const guest_error& e) {
        return mentions(e, "could not start unit bad.service") && mentions(e, "the reason") &&
               mentions(e, "units.cpp:");
    });
    const auto info = debian.unit_info("bad.service");
    BOOST_TEST(info.failed());
    BOOST_TEST(info.result() == "exit-code");
    BOOST_TEST(info.number("ExecMainStatus") == 3);
    BOOST_CHECK_EXCEPTION(debian.wait_for_unit("bad.service"), guest_error,
                          [](const guest_error& e) { return mentions(e, "will not become active: it is failed"); });
}

BOOST_AUTO_TEST_CASE(a_unit_that_fails_is_told_of_although_its_status_is_not) {
    auto& debian = net.machine("debian");
    debian.write_file("/usr/local/bin/systemctl",
                      "#!/bin/sh\n[ \"$1\" = status ] && exec sleep 1000\nexec /usr/bin/systemctl \"$@\"\n", 0755);
    BOOST_CHECK_EXCEPTION(debian.within(40s).start_job("bad.service"), guest_error,
                          [](const guest_error& e) { return mentions(e, "could not start unit bad.service"); });
}

BOOST_AUTO_TEST_CASE(a_unit_that_does_not_exist) {
    auto& debian = net.machine("debian");
    BOOST_TEST(!debian.unit_info("none.service").exists());
    BOOST_CHECK_EXCEPTION(debian.start_job("none.service"), guest_error,
                          [](const guest_error& e) { return mentions(e, "none.service") && mentions(e, "not found"); });
    BOOST_CHECK_THROW(debian.stop_job("none.service"), guest_error);
    BOOST_CHECK_THROW(debian.wait_for_unit("none.service"), guest_error);
}

BOOST_AUTO_TEST_CASE(a_limit_holds) {
    BOOST_CHECK_THROW(net.machine("debian").within(1s).start_job("slow.service"), timed_out);
}

BOOST_AUTO_TEST_CASE(without_systemd_it_is_said_at_once) {
    auto& tiny = net.machine("tiny");
    const auto no_systemd = [](const guest_error& e) { return mentions(e, "\"tiny\": has no systemd"); };
    BOOST_CHECK_EXCEPTION(tiny.wait_for_unit("good.service"), guest_error, no_systemd);
    BOOST_CHECK_EXCEPTION(tiny.start_job("good.service"), guest_error, no_systemd);
    BOOST_CHECK_EXCEPTION(tiny.stop_job("good.service"), guest_error, no_systemd);
    BOOST_CHECK_EXCEPTION((void)tiny.unit_info("good.service"), guest_error, no_systemd);
}

BOOST_AUTO_TEST_SUITE_END()
