// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
namespace data = boost::unit_test::data;

const auto everyone = data::make({run_as::ourselves, run_as::ourselves_without_cgroups, run_as::ordinary_user});

/// What `seq 1 last` prints.
std::string numbers(int last) {
    std::string text;
    for (int i = 1; i <= last; ++i) {
        text += std::to_string(i);
        text += '\n';
    }
    return text;
}

BOOST_AUTO_TEST_SUITE(commands)

BOOST_AUTO_TEST_CASE(the_agent_says_hello) {
    agent_process agent;
    const auto hello = agent.wait_for_control(wire::frame_type::hello);
    BOOST_TEST(wire::find_field(hello, wire::tag::version).number() == wire::protocol_version);
    BOOST_TEST(wire::find_field(hello, wire::tag::boot_id).text().size() == 36U);
    BOOST_TEST(!wire::find_field(hello, wire::tag::kernel).text().empty());
    BOOST_TEST(wire::has_field(hello, wire::tag::features));
}

BOOST_DATA_TEST_CASE(a_command_reports_how_it_ended, everyone) {
    agent_process agent{sample};
    const auto& ended = agent.run("echo out; echo err >&2; exit 3");
    BOOST_TEST(ended.opened);
    BOOST_TEST(ended.pid > 1U);
    BOOST_TEST(ended.out == "out\n");
    BOOST_TEST(ended.err == "err\n");
    BOOST_TEST(ended.out_ended);
    BOOST_TEST(ended.err_ended);
    BOOST_TEST((ended.exit_code == 3U));
    BOOST_TEST(!ended.signal.has_value());
    BOOST_TEST(!ended.lingering);
    BOOST_TEST(wire::find_field(ended.final_payload, wire::tag::nanoseconds).number() > 0U);
    const auto& killed = agent.run("kill -KILL $$");
    BOOST_TEST((killed.signal == static_cast<std::uint32_t>(SIGKILL)));
    BOOST_TEST(!killed.exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(output_is_binary_safe) {
    agent_process agent;
    const auto& ended = agent.run("i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %o $i)\"; i=$((i+1)); done");
    std::string expected(256, '\0');
    std::ranges::generate(expected, [i = 0]() mutable { return static_cast<char>(i++); });
    BOOST_TEST((ended.out == expected));
}

BOOST_AUTO_TEST_CASE(many_commands_run_at_once) {
    agent_process agent;
    std::vector<std::uint32_t> streams;
    for (int i = 0; i < 100; ++i) {
        streams.push_back(agent.open_command("read line; echo \"$line\"; echo \"$line\" >&2", false));
    }
    for (const auto stream : streams) {
        agent.wait_for_opened(stream);
    }
    // All of them wait for a line now, and get it in the other order.
    for (auto stream = streams.rbegin(); stream != streams.rend(); ++stream) {
        agent.send_data(*stream, std::to_string(*stream) + "\n");
    }
    for (const auto stream : streams) {
        const auto& ended = agent.wait_for_end(stream);
        BOOST_TEST(ended.out == std::to_string(stream) + "\n");
        BOOST_TEST(ended.err == ended.out);
        BOOST_TEST((ended.exit_code == 0U));
    }
}

BOOST_AUTO_TEST_CASE(much_output_respects_the_credit) {
    agent_process agent;
    agent.automatic_credit = false;
    constexpr int last = 2700000;
    constexpr std::size_t piece = 100001;
    const auto expected = numbers(last);
    BOOST_TEST(expected.size() > 20000000U);
    const auto stream = agent.open_command("seq 1 " + std::to_string(last));
    std::uint64_t granted = wire::initial_credit;
    while (agent.state(stream).out.size() < expected.size()) {
        // It uses up what it has, and not a byte more.
        const auto target = std::min<std::uint64_t>(granted, expected.size());
        agent.wait_until([&] { return agent.state(stream).out.size() >= target; }, "what the credit allows");
        agent.settle();
        BOOST_REQUIRE(agent.state(stream).out.size() == target);
        agent.give_credit(stream, piece);
        granted += piece;
    }
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST((ended.out == expected));
    BOOST_TEST((ended.exit_code == 0U));
}

BOOST_AUTO_TEST_CASE(what_a_command_left_in_its_pipe_is_delivered_after_its_end) {
    agent_process agent;
    agent.automatic_credit = false;
    const auto marker = agent.folder() / "ended";
    // The credit ends 30000 bytes early: they wait in the pipe when the process is gone.
    const auto stream = agent.open_command("trap 'touch " + marker.string() + "' EXIT; head -c 292144 /dev/zero");
    agent.automatic_credit = true;
    agent.wait_until([&] { return agent.state(stream).out.size() > 0; }, "output");
    agent.automatic_credit = false;
    BOOST_TEST((agent.run("while ! test -e " + marker.string() + "; do sleep 0.02; done").exit_code == 0U));
    agent.give_credit(stream, 1000000);
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST(ended.out.size() == 292144U);
    BOOST_TEST(!ended.lingering);
}

BOOST_AUTO_TEST_CASE(input_reaches_the_command) {
    agent_process agent;
    const auto expected = numbers(500000);
    const auto stream = agent.open_command("cat", false);
    agent.send_data(stream, expected);
    agent.send(wire::frame_type::end, stream);
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST((ended.out == expected));
    BOOST_TEST((ended.exit_code == 0U));
}

BOOST_AUTO_TEST_CASE(input_that_nobody_reads_is_swallowed) {
    agent_process agent;
    const auto fifo = (agent.folder() / "fifo").string();
    BOOST_TEST((agent.run("mkfifo " + fifo).exit_code == 0U));
    const auto stream = agent.open_command("exec <&-; echo closed; read line < " + fifo, false);
    agent.wait_until([&] { return agent.state(stream).out == "closed\n"; }, "the command to close its input");
    agent.send_data(stream, std::string(1000000, 'x'));
    BOOST_TEST((agent.run("echo go > " + fifo).exit_code == 0U));
    BOOST_TEST((agent.wait_for_end(stream).exit_code == 0U));
    BOOST_TEST(agent.errors_seen() == 0U);
}

BOOST_AUTO_TEST_CASE(no_input_is_an_empty_one) {
    agent_process agent;
    BOOST_TEST((agent.run("test -z \"$(cat)\" && readlink /proc/$$/fd/0").exit_code == 0U));
}

BOOST_AUTO_TEST_CASE(an_argument_vector_needs_no_shell) {
    agent_process agent;
    vmdsl::payload_builder payload;
    for (const auto* argument : {"printf", "<%s>", "two words", "", "$HOME", "*"}) {
        payload.text(wire::tag::argument, argument);
    }
    const auto stream = agent.open(wire::stream_kind::command, payload.flag(wire::tag::no_input));
    BOOST_TEST(agent.wait_for_end(stream).out == "<two words><><$HOME><*>");
}

BOOST_AUTO_TEST_CASE(environment_and_directory_are_as_promised) {
    agent_process agent;
    const auto home = (agent.folder() / "root").string();
    const auto& plain = agent.run("pwd; echo $HOME $USER $LOGNAME $SHELL $LANG; echo $PATH");
    BOOST_TEST(plain.out == home + "\n" + home +
                                " root root /bin/sh C.UTF-8\n"
                                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n");
    const auto stream = agent.open(wire::stream_kind::command, vmdsl::payload_builder{}
                                                                   .text(wire::tag::shell_text, "pwd; echo $LANG $MORE")
                                                                   .text(wire::tag::directory, "/usr/share")
                                                                   .text(wire::tag::environment, "LANG=de")
                                                                   .text(wire::tag::environment, "MORE=a b=c"));
    BOOST_TEST(agent.wait_for_end(stream).out == "/usr/share\nde a b=c\n");
}

BOOST_AUTO_TEST_CASE(a_command_starts_with_clean_signals_and_descriptors) {
    agent_process agent;
    const auto& ended = agent.run(
        "ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o sid= -p $$ | tr -d ' '; echo $$");
    // Three streams, and the folder that ls reads.
    BOOST_TEST(ended.out.starts_with("4\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n"));
    const auto pid = std::to_string(ended.pid);
    BOOST_TEST(ended.out.ends_with("\n" + pid + "\n" + pid + "\n"));
}

BOOST_DATA_TEST_CASE(a_command_that_cannot_start_fails_with_the_reason, everyone) {
    agent_process agent{sample};
    const auto fails = [&](vmdsl::payload_builder payload) {
        return agent.wait_for_end(agent.open(wire::stream_kind::command, std::move(payload))).error_number.value_or(0);
    };
    using builder = vmdsl::payload_builder;
    BOOST_TEST(fails(builder{}.text(wire::tag::argument, "no-such-program")) == static_cast<unsigned>(ENOENT));
    BOOST_TEST(fails(builder{}.text(wire::tag::argument, "/etc/passwd")) == static_cast<unsigned>(EACCES));
    BOOST_TEST(fails(builder{}.text(wire::tag::shell_text, "true").text(wire::tag::directory, "/nowhere")) ==
               static_cast<unsigned>(ENOENT));
    BOOST_TEST(fails(builder{}) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(fails(builder{}.text(wire::tag::shell_text, std::string_view{"rm \0x", 5})) ==
               static_cast<unsigned>(EINVAL));
    BOOST_TEST((agent.run("true").exit_code == 0U));
}

BOOST_AUTO_TEST_CASE(a_signal_reaches_the_process) {
    agent_process agent;
    const auto stream =
        agent.open_command("trap 'echo trapped; exit 7' USR1; echo ready; while :; do sleep 0.02; done");
    agent.wait_until([&] { return agent.state(stream).out == "ready\n"; }, "the trap to be set");
    agent.send(wire::frame_type::signal, stream, vmdsl::payload_builder{}.u32(wire::tag::signal_number, SIGUSR1));
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST(ended.out == "ready\ntrapped\n");
    BOOST_TEST((ended.exit_code == 7U));
}

BOOST_DATA_TEST_CASE(a_child_that_keeps_the_output_open_does_not_hold_up_the_end, everyone) {
    agent_process agent{sample};
    const auto fifo = (agent.folder() / "go").string();
    const auto marker = (agent.folder() / "wrote").string();
    // The child writes much more than a pipe holds when the command is long over, and lives.
    const auto& ended = agent.run("mkfifo " + fifo + "; (read go < " + fifo + "; head -c 1000000 /dev/zero && touch " +
                                  marker + ") & echo done");
    BOOST_TEST(ended.out == "done\n");
    BOOST_TEST((ended.exit_code == 0U));
    BOOST_TEST(ended.lingering);
    const auto& second = agent.run("echo go > " + fifo + "; while ! test -e " + marker + "; do sleep 0.02; done");
    BOOST_TEST((second.exit_code == 0U));
    BOOST_TEST(!second.lingering);
}

BOOST_AUTO_TEST_CASE(stream_numbers_are_used_again) {
    agent_process agent;
    for (int i = 0; i < 20; ++i) {
        agent.state(77) = {};
        agent.send(wire::frame_type::open, 77,
                   vmdsl::payload_builder{}
                       .u32(wire::tag::kind, static_cast<std::uint32_t>(wire::stream_kind::command))
                       .text(wire::tag::shell_text, "sleep 1000 & echo $!"));
        const auto& ended = agent.wait_for_end(77);
        BOOST_TEST(ended.lingering);
        BOOST_TEST(::kill(parse_pid(ended.out), SIGKILL) == 0);
    }
}

BOOST_AUTO_TEST_CASE(the_commands_end_with_the_connection) {
    agent_process agent;
    const auto stream = agent.open_command("sleep 1000 & echo $!; wait");
    agent.wait_until([&] { return !agent.state(stream).out.empty(); }, "the command to start");
    const auto pid = parse_pid(agent.state(stream).out);
    BOOST_TEST(agent.disconnect() == 0);
    wait_until_gone(pid);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(trees)

/// Prints the numbers of a child, of one in another session, and of one whose parents are all gone, then sleeps.
constexpr std::string_view grow_tree =
    "sleep 1000 & echo $!; setsid sleep 1000 & echo $!;"
    "(setsid sh -c 'setsid sh -c \"echo \\$\\$; exec sleep 1000\" & exit' &); "
    "sleep 0.01; while :; do sleep 1; done";

std::vector<pid_t> wait_for_tree(agent_process& agent, std::uint32_t stream) {
    agent.wait_until([&] { return std::ranges::count(agent.state(stream).out, '\n') == 3; }, "the tree to grow");
    std::vector<pid_t> pids;
    for (std::string_view rest = agent.state(stream).out; !rest.empty(); rest.remove_prefix(rest.find('\n') + 1)) {
        pids.push_back(parse_pid(rest));
    }
    return pids;
}

BOOST_DATA_TEST_CASE(a_signal_to_the_whole_tree_reaches_everyone, everyone) {
    agent_process agent{sample};
    const auto bystander = agent.open_command("read line", false);
    agent.wait_for_opened(bystander);
    const auto stream = agent.open_command(grow_tree);
    const auto pids = wait_for_tree(agent, stream);
    agent.send(wire::frame_type::signal, stream,
               vmdsl::payload_builder{}.u32(wire::tag::signal_number, SIGKILL).flag(wire::tag::whole_tree));
    BOOST_TEST((agent.wait_for_end(stream).signal == static_cast<std::uint32_t>(SIGKILL)));
    for (const auto pid : pids) {
        wait_until_gone(pid);
    }
    agent.send_data(bystander, "still here\n");
    BOOST_TEST((agent.wait_for_end(bystander).exit_code == 0U));
}

BOOST_DATA_TEST_CASE(closing_a_command_kills_its_tree, everyone) {
    agent_process agent{sample};
    const auto stream = agent.open_command(grow_tree);
    const auto pids = wait_for_tree(agent, stream);
    agent.send(wire::frame_type::close, stream);
    BOOST_TEST((agent.wait_for_end(stream).signal == static_cast<std::uint32_t>(SIGKILL)));
    for (const auto pid : pids) {
        wait_until_gone(pid);
    }
}

BOOST_DATA_TEST_CASE(a_milder_signal_reaches_the_tree_too, everyone) {
    agent_process agent{sample};
    const auto stream = agent.open_command(grow_tree);
    const auto pids = wait_for_tree(agent, stream);
    agent.send(wire::frame_type::signal, stream,
               vmdsl::payload_builder{}.u32(wire::tag::signal_number, SIGTERM).flag(wire::tag::whole_tree));
    BOOST_TEST((agent.wait_for_end(stream).signal == static_cast<std::uint32_t>(SIGTERM)));
    for (const auto pid : pids) {
        wait_until_gone(pid);
    }
}

BOOST_AUTO_TEST_CASE(a_process_that_forks_all_the_time_is_caught) {
    agent_process agent{run_as::ourselves_without_cgroups};
    const auto stream =
        agent.open_command("echo start; f() { setsid sh -c 'sleep 0.01' & }; while :; do f; f; sleep 0.005; done");
    agent.wait_until([&] { return !agent.state(stream).out.empty(); }, "the start");
    agent.send(wire::frame_type::close, stream);
    agent.wait_for_end(stream);
    agent.settle();
}

BOOST_AUTO_TEST_CASE(an_orphan_that_executes_programs_all_the_time_is_caught) {
    for (int time = 0; time != 60; ++time) {
        agent_process agent{run_as::ourselves_without_cgroups};
        const auto stream = agent.open_command(
            "export again='exec sh -c \"$again\"'; (setsid sh -c 'echo $$; eval \"$again\"' & exit); sleep 1000");
        agent.wait_until([&] { return agent.state(stream).out.ends_with('\n'); }, "the orphan's number");
        const auto orphan = parse_pid(agent.state(stream).out);
        agent.send(wire::frame_type::close, stream);
        agent.wait_for_end(stream);
        wait_until_gone(orphan);
    }
}

BOOST_AUTO_TEST_CASE(closing_ends_a_command_whose_output_nobody_takes) {
    agent_process agent;
    agent.automatic_credit = false;
    const auto stream = agent.open_command("yes");
    agent.wait_until([&] { return agent.state(stream).out.size() == wire::initial_credit; },
                     "the credit to be used up");
    agent.send(wire::frame_type::close, stream);
    BOOST_TEST((agent.wait_for_end(stream).signal == static_cast<std::uint32_t>(SIGKILL)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
