// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
using builder = vmdsl::payload_builder;
namespace data = boost::unit_test::data;

const auto everyone = data::make({run_as::ourselves, run_as::ourselves_without_cgroups, run_as::ordinary_user});

std::uint32_t open_terminal(agent_process& agent, std::string_view shell_text, std::uint32_t rows = 30,
                            std::uint32_t columns = 100) {
    return agent.open(wire::stream_kind::terminal, builder{}
                                                       .text(wire::tag::shell_text, shell_text)
                                                       .text(wire::tag::environment, "TERM=dumb")
                                                       .u32(wire::tag::rows, rows)
                                                       .u32(wire::tag::columns, columns));
}

void resize(agent_process& agent, std::uint32_t stream, std::uint32_t rows, std::uint32_t columns) {
    agent.send(wire::frame_type::resize, stream, builder{}.u32(wire::tag::rows, rows).u32(wire::tag::columns, columns));
}

void wait_for_output(agent_process& agent, std::uint32_t stream, std::string_view text) {
    agent.wait_until([&] { return agent.state(stream).out.find(text) != std::string::npos; }, text);
}

BOOST_AUTO_TEST_SUITE(terminals)

BOOST_DATA_TEST_CASE(a_command_has_a_terminal_of_the_size_that_was_asked_for, everyone) {
    agent_process agent{sample};
    const auto& ended = agent.wait_for_end(open_terminal(
        agent, "test -t 0 && test -t 1 && test -t 2 && stty size && echo $TERM >&2 && test -c \"$(tty)\"; exit 3"));
    BOOST_TEST(ended.opened);
    BOOST_TEST(ended.out == "30 100\r\ndumb\r\n");
    BOOST_TEST(ended.err.empty());
    BOOST_TEST(ended.out_ended);
    BOOST_TEST((ended.exit_code == 3U));
    BOOST_TEST(!ended.lingering);
}

BOOST_AUTO_TEST_CASE(a_size_that_makes_no_sense_is_the_usual_one) {
    agent_process agent;
    for (const std::uint32_t bad : {0U, 65536U, 0xffffffffU}) {
        BOOST_TEST(agent.wait_for_end(open_terminal(agent, "stty size", bad, 80)).out == "24 80\r\n");
        BOOST_TEST(agent.wait_for_end(open_terminal(agent, "stty size", 24, bad)).out == "24 80\r\n");
    }
}

BOOST_AUTO_TEST_CASE(it_is_the_controlling_terminal) {
    agent_process agent;
    const auto& ended = agent.wait_for_end(open_terminal(agent, "echo open >/dev/tty; ps -o sid=,tpgid= -p $$"));
    const auto pid = std::to_string(ended.pid);
    BOOST_TEST(ended.out.starts_with("open\r\n"));
    BOOST_TEST(ended.out.find(pid + " ") != std::string::npos);
    BOOST_TEST(ended.out.ends_with(pid + "\r\n"));
}

BOOST_AUTO_TEST_CASE(what_is_typed_is_echoed_and_read) {
    agent_process agent;
    const auto stream = open_terminal(agent, "read line; echo \"got $line\"");
    agent.wait_for_opened(stream);
    agent.send_data(stream, "hello\r");
    BOOST_TEST(agent.wait_for_end(stream).out == "hello\r\ngot hello\r\n");
}

BOOST_AUTO_TEST_CASE(much_output_arrives_whole) {
    agent_process agent;
    const auto& ended = agent.wait_for_end(open_terminal(agent, "stty -opost; seq 1 200000"));
    std::string expected;
    for (int i = 1; i <= 200000; ++i) {
        expected += std::to_string(i) + "\n";
    }
    BOOST_TEST((ended.out == expected));
}

BOOST_AUTO_TEST_CASE(a_key_interrupts_the_command_and_not_its_shell) {
    agent_process agent;
    const auto stream =
        open_terminal(agent, "trap 'echo interrupted' INT; sh -c 'echo ready; exec sleep 1000'; echo on; exit 5");
    wait_for_output(agent, stream, "ready");
    agent.send_data(stream, "\x03");
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST(ended.out.ends_with("interrupted\r\non\r\n"));
    BOOST_TEST((ended.exit_code == 5U));
}

BOOST_AUTO_TEST_CASE(a_key_ends_the_input) {
    agent_process agent;
    const auto stream = open_terminal(agent, "cat; echo over");
    agent.wait_for_opened(stream);
    agent.send_data(stream, "\x04");
    BOOST_TEST(agent.wait_for_end(stream).out.ends_with("over\r\n"));
}

BOOST_AUTO_TEST_CASE(the_hosts_end_of_data_does_not_end_the_input) {
    agent_process agent;
    const auto stream = open_terminal(agent, "echo ready; sleep 1000");
    wait_for_output(agent, stream, "ready");
    agent.send(wire::frame_type::end, stream);
    agent.settle();
    BOOST_TEST(!agent.state(stream).finished);
    agent.send(wire::frame_type::close, stream);
    BOOST_TEST(agent.wait_for_end(stream).signal.has_value());
}

BOOST_AUTO_TEST_CASE(a_new_size_is_noticed) {
    agent_process agent;
    const auto stream =
        open_terminal(agent, "trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.02; done");
    wait_for_output(agent, stream, "ready");
    resize(agent, stream, 0, 70000);  // no size at all
    resize(agent, stream, 50, 132);
    BOOST_TEST(agent.wait_for_end(stream).out == "ready\r\n50 132\r\n");
    BOOST_TEST(agent.errors_seen() == 0U);
}

BOOST_AUTO_TEST_CASE(what_has_no_terminal_has_no_size) {
    agent_process agent;
    const auto stream = agent.open_command("read line; echo $line", false);
    agent.wait_for_opened(stream);
    resize(agent, stream, 50, 132);
    resize(agent, stream + 1, 50, 132);
    agent.send_data(stream, "fine\n");
    BOOST_TEST(agent.wait_for_end(stream).out == "fine\n");
    BOOST_TEST(agent.errors_seen() == 0U);
}

BOOST_DATA_TEST_CASE(closing_kills_what_runs_there, everyone) {
    agent_process agent{sample};
    const auto stream = open_terminal(agent, "sleep 1000 & echo $!; wait");
    wait_for_output(agent, stream, "\n");
    const auto pid = parse_pid(agent.state(stream).out.substr(0, agent.state(stream).out.find('\r')) + "\n");
    agent.send(wire::frame_type::close, stream);
    BOOST_TEST(agent.wait_for_end(stream).signal.has_value());
    wait_until_gone(pid);
}

BOOST_AUTO_TEST_CASE(a_hang_up_is_for_the_shell_to_pass_on) {
    agent_process agent;
    const auto stream =
        open_terminal(agent, "trap 'echo hung up; exit 6' HUP; echo ready; while :; do sleep 0.02; done");
    wait_for_output(agent, stream, "ready");
    agent.send(wire::frame_type::signal, stream, builder{}.u32(wire::tag::signal_number, SIGHUP));
    BOOST_TEST((agent.wait_for_end(stream).exit_code == 6U));
}

BOOST_AUTO_TEST_CASE(a_child_that_keeps_the_terminal_does_not_hold_up_the_end) {
    agent_process agent;
    const auto& ended = agent.wait_for_end(open_terminal(agent, "trap '' HUP; sleep 1000 & echo $!"));
    BOOST_TEST(ended.lingering);
    BOOST_TEST((ended.exit_code == 0U));
    BOOST_TEST(::kill(parse_pid(ended.out.substr(0, ended.out.find('\r')) + "\n"), SIGKILL) == 0);
}

BOOST_AUTO_TEST_CASE(a_program_that_cannot_start_says_why) {
    agent_process agent;
    const auto stream = agent.open(wire::stream_kind::terminal, builder{}.text(wire::tag::argument, "no-such-program"));
    BOOST_TEST((agent.wait_for_end(stream).error_number == static_cast<std::uint32_t>(ENOENT)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
