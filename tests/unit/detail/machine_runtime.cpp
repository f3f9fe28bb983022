// SPDX-License-Identifier: BSL-1.0
// What it says of a command that does not end in time. The machine is off; an agent that does as it likes plays it.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/net/fabric.hpp>

#include <unit/guest/fake_agent.hpp>

namespace {

using namespace vmdsl;
using wire::frame_type;

network_plan one_machine() {
    const auto file = current_run().scratch_directory / "no-kernel";
    std::ofstream(file).put('x');
    network_plan plan;
    plan.machines.resize(1);
    plan.machines[0].name = "alice";
    plan.machines[0].kernel = file;
    plan.machines[0].initrd = file;
    return plan;
}

struct late_command : fake::conversation {
    network_plan plan = one_machine();
    fabric network{plan};
    detail::machine_runtime machine{plan, 0, network, current_run().scratch_directory, nullptr};

    /// What `finish` says of a command with this limit.
    std::string words_after(std::chrono::milliseconds limit) {
        const auto stream = client->start_command(command_request::shell("x"));
        try {
            (void)machine.finish(*stream, "x", deadline::in(limit));
        } catch (const timed_out& late) {
            return late.details().what_failed;
        }
        return "it ended";
    }
};

BOOST_FIXTURE_TEST_SUITE(machine_runtime_test, late_command)

BOOST_AUTO_TEST_CASE(the_time_to_kill_a_command_is_not_its_own) {
    auto words = std::async(std::launch::async, [&] { return words_after(std::chrono::milliseconds(200)); });
    const auto stream = agent->next(frame_type::close).header.stream;
    std::this_thread::sleep_for(std::chrono::seconds(2));  // that is how long this guest takes
    agent->send(frame_type::exit, stream, payload_builder{}.u32(wire::tag::signal_number, 9));
    const auto said = words.get();
    BOOST_TEST(said.find("did not end within ") != std::string::npos);
    BOOST_TEST(std::stod(said.substr(said.find("within ") + 7)) < 2.0);
    BOOST_TEST(said.find("; all its processes were killed") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_command_that_was_never_started_was_not_killed) {
    client->expect_restart();
    const auto said = words_after(std::chrono::milliseconds(1));
    BOOST_TEST(said.find("; it was not started, as the machine was restarting") != std::string::npos);
    BOOST_TEST(said.find("killed") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_the_agent_says_of_its_end_is_said) {
    auto words = std::async(std::launch::async, [&] { return words_after(std::chrono::milliseconds(1)); });
    const auto stream = agent->next(frame_type::close).header.stream;
    agent->send(frame_type::failed, stream, payload_builder{}.text(wire::tag::error_text, "it is stuck in the kernel"));
    BOOST_TEST(words.get().find("; it is stuck in the kernel") != std::string::npos);
}

// Its number says nothing about a stream of another boot.
BOOST_AUTO_TEST_CASE(a_job_of_a_machine_that_was_switched_off_died_with_it) {
    BOOST_CHECK_EXCEPTION((void)machine.attach({0, 1}), machine_died, [](const machine_died& death) {
        return death.details().what_failed == "was switched off" && death.details().machine == "alice";
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
