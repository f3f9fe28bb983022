// SPDX-License-Identifier: BSL-1.0
// What a person before the machine would see and do: console, terminals, screen, keyboard, buttons; and QMP.
#include <cstdint>
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/file_content.hpp>
#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;
using detail::content_of;
namespace fs = std::filesystem;

using lab = network<machine<"box", memory<128_MiB>, display>, machine<"plain", memory<128_MiB>>>;

namespace {

bool mentions(const std::exception& problem, std::string_view text) {
    return std::string_view(problem.what()).find(text) != std::string_view::npos;
}

bool is_picture(const std::string& content) {
    return content.size() > 100 && content.rfind("\x89PNG\r\n", 0) == 0;
}

std::string boot_id(vmdsl::guest& box) {
    return box.read_file("/proc/sys/kernel/random/boot_id");
}

}  // namespace

struct ready : checkpoint<lab> {
    std::string console_line;
    std::string console_end;
    fs::path picture;
    std::string status;

    void prepare() {
        net.start();
        auto& box = net.machine("box");
        net.machine("plain").run("echo prepared 1 > /dev/ttyS0");
        console_line = net.machine("plain").within(20s).wait_for_console_text(matching("prepared [0-9]"));
        box.run("echo on the screen > /dev/tty1");
        picture = box.screenshot("prepared.png");
        status = box.qmp("query-status").text("/status");
        console_end = net.machine("plain").console_tail(1);
    }
};

BOOST_FIXTURE_TEST_SUITE(screens, restored<ready>)

BOOST_AUTO_TEST_CASE(what_the_body_saw_is_there) {
    BOOST_TEST(console_line == "prepared 1");
    BOOST_TEST(console_end == "prepared 1\n");
    BOOST_TEST(status == "running");
    BOOST_TEST(is_picture(content_of(picture)));
    fs::remove(picture);
}

BOOST_AUTO_TEST_CASE(console_text_is_waited_for_and_found_once) {
    BOOST_TEST(is_picture(content_of(picture)));  // made again by the replay
    auto& box = net.machine("plain");
    box.run("echo one > /dev/ttyS0; printf 'login: ' > /dev/ttyS0");
    box.spawn("sleep 0.5; echo late-17 > /dev/ttyS0");
    BOOST_TEST(box.wait_for_console_text("one") == "one");
    BOOST_TEST(box.wait_for_console_text("login:").starts_with("login:"));
    BOOST_TEST(box.wait_for_console_text(matching("late-[0-9][0-9]")).ends_with("late-17"));
    BOOST_CHECK_EXCEPTION(box.within(200ms).wait_for_console_text("one"), timed_out, [](const timed_out& e) {
        return mentions(e, "console text \"one\" did not come within") && mentions(e, "screens.cpp:");
    });
}

BOOST_AUTO_TEST_CASE(a_dead_machines_last_words_can_be_waited_for) {
    auto& box = net.machine("plain");
    box.run("echo 1 > /proc/sys/kernel/sysrq");
    box.spawn("sleep 0.5; echo c > /proc/sysrq-trigger");
    BOOST_CHECK_EXCEPTION(box.wait_for_console_text("never"), machine_died, [](const machine_died& e) {
        return mentions(e, "its kernel panicked") && mentions(e, "\"never\" had not come");
    });
    BOOST_TEST(box.wait_for_console_text("sysrq triggered crash").find("panic") != std::string::npos);
    BOOST_CHECK_THROW(box.wait_for_console_text("never"), machine_died);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_read_and_typed_on) {
    auto& box = net.machine("box");
    BOOST_TEST(box.tty_text(1).find("on the screen\n") != std::string::npos);
    box.spawn("exec sh -i < /dev/tty1 > /dev/tty1 2>&1");
    box.within(20s).wait_for_tty_text(1, matching("[#$] ?$"));
    box.send_chars("echo \"Typed: $((6*7)) {}|\\\\~\"\n");
    BOOST_TEST(box.within(20s).wait_for_tty_text(1, matching("^Typed: 42")) == "Typed: 42 {}|\\~");
    BOOST_CHECK_EXCEPTION(box.within(300ms).wait_for_tty_text(1, "never"), timed_out, [](const timed_out& e) {
        return e.details().out_tail.find("Typed: 42") != std::string::npos;
    });
    BOOST_CHECK_EXCEPTION((void)box.tty_text(61), guest_error,
                          [](const guest_error& e) { return mentions(e, "can't read terminal 61"); });
    BOOST_CHECK_THROW(box.send_chars("\xc3\xa4"), usage_error);
    BOOST_CHECK_EXCEPTION(box.send_key("no_such_key"), error,
                          [](const error& e) { return mentions(e, "no_such_key"); });
}

BOOST_AUTO_TEST_CASE(a_picture_of_the_screen) {
    auto& box = net.machine("box");
    const auto before = box.screenshot("before.png");
    BOOST_TEST(before.is_absolute());
    BOOST_TEST(is_picture(content_of(before)));
    box.run("yes xyz | head -n 40 > /dev/tty1");
    const auto after = box.screenshot("after.png");
    BOOST_TEST(content_of(after).size() > content_of(before).size());
    BOOST_CHECK_EXCEPTION(net.machine("plain").screenshot("x.png"), usage_error,
                          [](const usage_error& e) { return mentions(e, "display") && mentions(e, "\"plain\""); });
    BOOST_CHECK_EXCEPTION(box.screenshot("no/such/folder/x.png"), error,
                          [](const error& e) { return mentions(e, "no/such/folder"); });
    fs::remove(before);
    fs::remove(after);
}

BOOST_AUTO_TEST_CASE(keys_and_buttons_reach_the_machine) {
    auto& box = net.machine("plain");  // its keyboard needs no display
    const auto first = boot_id(box);
    box.send_key("ctrl-alt-delete");
    BOOST_TEST(box.within(30s).wait_for_qmp_event("RESET").flag("/guest"));
    box.reset();
    while (box.within(30s).wait_for_qmp_event("RESET").text("/reason") != "host-qmp-system-reset") {
    }
    BOOST_TEST(boot_id(box) != first);
    box.press_power_button().within(30s).wait_for_qmp_event("POWERDOWN");
}

BOOST_AUTO_TEST_CASE(qmp_commands_and_pauses) {
    auto& box = net.machine("plain");
    box.pause();
    box.within(30s).wait_for_qmp_event("STOP");
    BOOST_TEST(box.qmp("query-status").text("/status") == "paused");
    BOOST_TEST(!box.qmp("query-status").flag("/running"));
    BOOST_CHECK_THROW((void)box.within(300ms).file_exists("/"), timed_out);
    box.resume();
    BOOST_TEST(box.run("echo back").out() == "back\n");
    BOOST_TEST(box.qmp("query-block").size() > 0U);
    BOOST_TEST(box.qmp("qom-get", R"({"path": "/machine", "property": "type"})").json().find("q35") !=
               std::string::npos);
    BOOST_CHECK_EXCEPTION(box.qmp("no-such-command"), error, [](const error& e) {
        return mentions(e, "QEMU refused no-such-command") && mentions(e, "\"plain\"") && mentions(e, "screens.cpp:");
    });
    BOOST_CHECK_THROW(box.qmp("query-status", "[1"), usage_error);
    BOOST_CHECK_EXCEPTION(box.within(200ms).wait_for_qmp_event("NEVER"), timed_out,
                          [](const timed_out& e) { return mentions(e, "event NEVER did not come"); });
    box.crash();
    BOOST_CHECK_THROW(box.qmp("query-status"), usage_error);
    BOOST_CHECK_THROW(box.wait_for_console_text("never"), usage_error);
}

BOOST_AUTO_TEST_SUITE_END()
