// SPDX-License-Identifier: BSL-1.0
// The client over a real socket, with an agent at its other end that does as it likes.
#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/agent_client.hpp>
#include <vmdsl/guest/agent_protocol.hpp>
#include <vmdsl/process/io_loop.hpp>

#include <unit/guest/fake_agent.hpp>

namespace {

using namespace vmdsl;
using fake::conversation;
using fake::soon;
using wire::frame_type;

BOOST_FIXTURE_TEST_SUITE(agent_client_test, conversation)

BOOST_AUTO_TEST_CASE(what_a_terminal_and_a_command_are_opened_with) {
    command_request request;
    request.arguments = {"top", "-d1"};
    request.environment = {"TERM=xterm"};
    const auto terminal = client->start_terminal(request, {50, 132}, {});
    const auto asked = agent->next(frame_type::open).payload;
    const auto number = [&](wire::tag tag) { return wire::find_field(asked, tag).number(); };
    BOOST_TEST(number(wire::tag::kind) == static_cast<unsigned>(wire::stream_kind::terminal));
    BOOST_TEST(number(wire::tag::rows) == 50U);
    BOOST_TEST(number(wire::tag::columns) == 132U);
    BOOST_TEST(wire::find_field(asked, wire::tag::argument).text() == "top");
    BOOST_TEST(wire::find_field(asked, wire::tag::environment).text() == "TERM=xterm");
    BOOST_TEST(!wire::has_field(asked, wire::tag::no_input));
    terminal->resize({24, 80});
    BOOST_TEST(agent->next(frame_type::resize).header.stream == terminal->id());

    (void)client->start_command(request);
    BOOST_TEST(wire::has_field(agent->next(frame_type::open).payload, wire::tag::no_input));
    request.takes_input = true;
    (void)client->start_command(request);
    BOOST_TEST(!wire::has_field(agent->next(frame_type::open).payload, wire::tag::no_input));
}

BOOST_AUTO_TEST_CASE(small_frames_are_not_answered_by_as_many) {
    const auto stream = client->start_command(command_request::shell("true"));
    const auto id = agent->next(frame_type::open).header.stream;
    const auto before = agent->bytes_received;
    constexpr std::size_t count = 200000;
    const std::byte one_byte[] = {std::byte{'x'}};
    std::vector<std::byte> frames;
    for (std::size_t i = 0; i < count; ++i) {
        agent->encoder.data(frames, id, one_byte);
    }
    agent->send_raw(frames);
    agent->send(frame_type::exit, id);
    BOOST_TEST(stream->wait(soon()).has_value());
    BOOST_TEST(stream->collected(wire::channel::main).size() == count);
    client->power(wire::power::off);
    (void)agent->next(frame_type::power);
    BOOST_TEST(agent->bytes_received - before < 1000U);
}

BOOST_AUTO_TEST_CASE(credit_never_wraps_around) {
    const auto stream = client->start_command(command_request::shell("true"));
    const auto id = agent->next(frame_type::open).header.stream;
    agent->send(frame_type::credit, id, payload_builder{}.u64(wire::tag::bytes, ~std::uint64_t{0}));
    BOOST_TEST(reason_of_the_loss() == "its agent granted more than it was sent");
}

BOOST_AUTO_TEST_CASE(a_large_file_arrives_whole) {
    std::string content(5'000'003, 'x');
    for (std::size_t i = 0; i < content.size(); i += 97) {
        content[i] = static_cast<char>(i / 97);
    }
    const auto stream = client->write_file("file", 0644, false);
    const auto id = agent->next(frame_type::open).header.stream;
    std::future<void> writing = std::async(std::launch::async, [&] {
        for (std::size_t at = 0; at < content.size();) {
            const auto piece = content.substr(at, 1 + at % 300'000);
            stream->write(piece);
            at += piece.size();
        }
        stream->end_of_data();
    });
    std::string got;
    std::size_t unreported = 0;
    for (auto frame = agent->next(); frame.header.type != frame_type::end; frame = agent->next()) {
        got.append(reinterpret_cast<const char*>(frame.payload.data()), frame.payload.size());
        unreported += frame.payload.size();
        BOOST_REQUIRE(unreported <= wire::initial_credit);
        if (unreported >= wire::initial_credit / 4) {
            agent->send(frame_type::credit, id, payload_builder{}.u64(wire::tag::bytes, unreported));
            unreported = 0;
        }
    }
    writing.get();
    BOOST_TEST((got == content));
    BOOST_TEST(!stream->has_unsent());
}

BOOST_AUTO_TEST_CASE(what_an_agent_was_not_sent_yet_is_not_sent_to_the_next_one) {
    std::vector<std::shared_ptr<agent_stream>> streams;
    for (int i = 0; i < 40; ++i) {
        streams.push_back(client->write_file("file", 0644, false));
        streams.back()->write(std::string(wire::initial_credit, 'x'));
    }
    client->expect_restart();
    BOOST_TEST(streams.front()->wait(soon()).value().error_text == "the machine was restarted");
    agent->say_hello("second boot", 6);
    BOOST_TEST(client->await_hello(soon()) == "second boot");
    auto configuring = std::async(std::launch::async, [&] { return client->configure({}, soon()); });
    const auto request = agent->next(frame_type::configure);
    BOOST_TEST(request.header.epoch == 6U);
    agent->send(frame_type::configured);
    BOOST_TEST(configuring.get().empty());
    // One batch was under way. 40 streams had 10 MiB of credit.
    BOOST_TEST(agent->bytes_received < 1U << 20U);
}

BOOST_AUTO_TEST_CASE(an_agent_whose_port_closed_for_no_reason_is_lost) {
    client->port_closed(std::chrono::milliseconds(50));
    BOOST_TEST(reason_of_the_loss() == "its agent ended, and no other one came in its place");
}

BOOST_AUTO_TEST_CASE(an_agent_that_comes_back_was_not_lost) {
    client->port_closed(std::chrono::milliseconds(500));
    agent->say_hello("first boot", 6);
    BOOST_TEST(client->await_hello(soon()) == "first boot");
    auto lost_after_all = lost.get_future();
    BOOST_TEST((lost_after_all.wait_for(std::chrono::seconds(1)) == std::future_status::timeout));
}

BOOST_AUTO_TEST_CASE(a_port_that_a_reset_closed_may_stay_closed) {
    auto lost_after_all = lost.get_future();
    client->port_closed(std::chrono::milliseconds(500));
    client->guest_was_reset();                           // told after the port
    client->port_closed(std::chrono::milliseconds(10));  // told before the port
    BOOST_TEST((lost_after_all.wait_for(std::chrono::seconds(1)) == std::future_status::timeout));
    agent->say_hello("second boot", 6);
    BOOST_TEST(client->await_hello(soon()) == "second boot");
}

BOOST_AUTO_TEST_CASE(a_closed_port_tells_of_a_restart_only_when_the_guest_was_reset) {
    client->port_closed(std::chrono::seconds(60));
    auto waiting = std::async(std::launch::async, [&] { client->await_restart(soon()); });
    BOOST_TEST((waiting.wait_for(std::chrono::milliseconds(200)) == std::future_status::timeout));
    client->guest_was_reset();
    waiting.get();
    client->port_closed(std::chrono::seconds(60));  // told after the reset
    client->await_restart(soon());
}

BOOST_AUTO_TEST_CASE(a_closed_port_of_a_guest_that_went_off_is_no_restart) {
    client->port_closed(std::chrono::seconds(60));
    auto waiting = std::async(std::launch::async, [&] { client->await_restart(soon()); });
    error_details off;
    off.what_failed = "the guest switched itself off";
    client->lose(off);
    BOOST_CHECK_THROW(waiting.get(), machine_died);
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_during_a_restart_waits_for_the_next_agent) {
    client->expect_restart();
    const auto stream = client->write_file("file", 0644, false);
    stream->write("content");
    stream->end_of_data();
    const auto forgotten = client->start_command(command_request::shell("true"));
    forgotten->close();
    BOOST_TEST(forgotten->wait(soon()).value().failed);
    agent->say_hello("second boot", 6);
    const auto open = agent->next(frame_type::open);
    BOOST_TEST(open.header.stream == stream->id());
    BOOST_TEST(open.header.epoch == 6U);
    BOOST_TEST(wire::find_field(open.payload, wire::tag::path).text() == "file");
    BOOST_TEST(agent->next().payload.size() == 7U);
    BOOST_TEST((agent->next().header.type == frame_type::end));
    agent->send(frame_type::exit, stream->id());
    BOOST_TEST(!stream->wait(soon()).value().failed);
}

// A batch is under way, since the guest does not read; the save waits behind it; then the agent is lost.
BOOST_AUTO_TEST_CASE(an_agent_may_be_lost_while_it_is_asked_to_fall_silent) {
    std::vector<std::shared_ptr<agent_stream>> streams;
    for (int i = 0; i < 20; ++i) {
        streams.push_back(client->write_file("file", 0644, false));
        streams.back()->write(std::string(wire::initial_credit, 'x'));
    }
    (void)agent->next(frame_type::data);
    BOOST_CHECK_THROW(client->quiesce(deadline::in(std::chrono::seconds(0))), timed_out);
    error_details gone;
    gone.what_failed = "its kernel panicked";
    client->lose(gone);
    while (agent->bytes_received < detail::agent_protocol::output_batch) {
        (void)agent->next();
    }
    io_loop::instance().call([] {});
    BOOST_CHECK_THROW((void)client->start_command(command_request::shell("true")), machine_died);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
