// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
using builder = vmdsl::payload_builder;

std::string numbers(int last) {
    std::string text;
    for (int i = 1; i <= last; ++i) {
        text += std::to_string(i) + "\n";
    }
    return text;
}

BOOST_AUTO_TEST_SUITE(resuming)

BOOST_AUTO_TEST_CASE(nothing_is_sent_between_quiesced_and_resumed_and_nothing_is_lost) {
    agent_process agent;
    constexpr int last = 400000;
    const auto writer = agent.open_command("seq 1 200000; read go; seq 200001 " + std::to_string(last), false);
    const auto waiter = agent.open_command("read line; echo got $line", false);
    agent.wait_until([&] { return !agent.state(writer).out.empty(); }, "output");
    agent.wait_for_opened(waiter);
    agent.send(wire::frame_type::quiesce, 0);
    agent.wait_for_control(wire::frame_type::quiesced);
    std::vector<wire::header> later;
    agent.on_frame = [&](const wire::header& header) { later.push_back(header); };
    // Answers to these would be the next frames if anything could come before the resume.
    agent.send(wire::frame_type::ping, 0);
    agent.send(wire::frame_type::open, 999,
               builder{}
                   .u32(wire::tag::kind, static_cast<std::uint32_t>(wire::stream_kind::command))
                   .text(wire::tag::shell_text, "echo late"));
    const auto streams = agent.resume(0xabcdef01, false);
    BOOST_REQUIRE(!later.empty());
    BOOST_TEST((later.front().type == wire::frame_type::resumed));
    const std::vector<std::uint32_t> expected{writer, waiter, 999};
    BOOST_TEST(streams == expected, boost::test_tools::per_element());
    agent.send_data(writer, "go\n");
    BOOST_TEST((agent.wait_for_end(writer).out == numbers(last)));
    BOOST_TEST(agent.wait_for_end(999).out == "late\n");
    agent.send_data(waiter, "it\n");
    BOOST_TEST(agent.wait_for_end(waiter).out == "got it\n");
    for (const auto& header : later) {
        BOOST_TEST(header.epoch == 0xabcdef01U);
    }
}

BOOST_AUTO_TEST_CASE(a_resume_starts_the_credit_again) {
    agent_process agent;
    agent.automatic_credit = false;
    const auto writer = agent.open_command("yes");
    const auto reader = agent.open_command("read go; wc -c", false);
    agent.wait_until([&] { return agent.state(writer).out.size() == wire::initial_credit; },
                     "the credit to be used up");
    agent.send_data(reader, "go\n" + std::string(wire::initial_credit - 3, 'x'));
    for (std::uint32_t epoch = 1; epoch <= 3; ++epoch) {
        agent.send(wire::frame_type::quiesce, 0);
        agent.wait_for_control(wire::frame_type::quiesced);
        agent.resume(epoch, false);
        const auto expected = (epoch + 1) * wire::initial_credit;
        agent.wait_until([&] { return agent.state(writer).out.size() >= expected; }, "the fresh credit to be used up");
        agent.settle();
        BOOST_TEST(agent.state(writer).out.size() == expected);
    }
    agent.automatic_credit = true;
    agent.send_data(reader, std::string(wire::initial_credit, 'x'));
    agent.send(wire::frame_type::end, reader);
    BOOST_TEST(agent.wait_for_end(reader).out == std::to_string(2 * wire::initial_credit - 3) + "\n");
    agent.send(wire::frame_type::close, writer);
    agent.wait_for_end(writer);
    BOOST_TEST(agent.errors_seen() == 0U);
}

BOOST_AUTO_TEST_CASE(frames_of_another_epoch_are_dropped) {
    agent_process agent;
    agent.resume(5, false);
    agent.set_epoch(4);
    const auto old = agent.open_command("echo old");
    agent.send(wire::frame_type::ping, 0, builder{}.text(wire::tag::path, "old"));
    agent.set_epoch(5);
    agent.settle();
    BOOST_TEST(!agent.state(old).opened);
    BOOST_TEST(!agent.state(old).finished);
    BOOST_TEST(agent.errors_seen() == 0U);
    BOOST_TEST(agent.run("echo new").out == "new\n");
}

BOOST_AUTO_TEST_CASE(a_resume_without_a_quiesce_loses_no_frame_that_was_still_here) {
    agent_process agent;
    const auto expected = numbers(300000);
    const auto stream = agent.open_command("seq 1 300000");
    // Everything up to the resumed is skipped by the host, so only what follows can be checked: it is whole lines of
    // the same output, up to its end.
    agent.wait_until([&] { return !agent.state(stream).out.empty(); }, "output");
    agent.resume(77, true);
    const auto& ended = agent.wait_for_end(stream);
    BOOST_TEST((ended.exit_code == 0U));
    BOOST_TEST(ended.out.size() <= expected.size());
    BOOST_TEST(ended.out.ends_with("\n299999\n300000\n"));
}

BOOST_AUTO_TEST_CASE(what_is_sent_again_counts_as_credit) {
    agent_process agent;
    agent.automatic_credit = false;
    const auto stream = agent.open_command("head -c 300000 /dev/zero; touch marker; cat /dev/zero");
    // We read nothing until then: more is queued than the socket holds.
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    while (!std::filesystem::exists(agent.folder() / "root" / "marker")) {
        BOOST_REQUIRE((std::chrono::steady_clock::now() < until));
        std::this_thread::yield();
    }
    agent.resume(77, true);
    agent.wait_until([&] { return agent.state(stream).out.size() >= wire::initial_credit; }, "the credit's worth");
    agent.settle();
    BOOST_TEST(agent.state(stream).out.size() == wire::initial_credit);
    agent.send(wire::frame_type::close, stream);
    agent.wait_for_end(stream);
}

BOOST_AUTO_TEST_CASE(a_new_agent_does_nothing_that_another_was_told) {
    agent_process before;
    agent_process agent;
    bytes left_over;
    const auto cut = [&](std::size_t kept) {
        bytes frame;
        before.encoder().data(frame, 1, bytes(5000, std::byte{'x'}));
        left_over.insert(left_over.end(), frame.end() - static_cast<std::ptrdiff_t>(kept), frame.end());
    };
    // The rest of a frame, whole frames behind it, and one that looks like a frame's beginning.
    cut(3000);
    before.encoder().frame(left_over, wire::frame_type::open, 50,
                           builder{}
                               .u32(wire::tag::kind, static_cast<std::uint32_t>(wire::stream_kind::command))
                               .text(wire::tag::shell_text, "touch marker"));
    before.encoder().frame(left_over, wire::frame_type::quiesce, 0, builder{});
    const auto header = wire::pack({wire::max_payload, 7, 0, wire::frame_type::data, wire::channel::main});
    left_over.insert(left_over.end(), header.begin(), header.end());
    agent.encoder().resync_padding(left_over);
    agent.send_raw(left_over);
    agent.settle();
    BOOST_TEST(agent.errors_seen() == 0U);
    BOOST_TEST(!agent.state(50).opened);
    BOOST_TEST(!std::filesystem::exists(agent.folder() / "root" / "marker"));
    BOOST_TEST(agent.run("echo fine").out == "fine\n");
}

BOOST_AUTO_TEST_CASE(a_cut_command_is_never_run) {
    const std::string text = "touch marker; echo ran";
    bytes whole;
    vmdsl::frame_encoder{}.frame(whole, wire::frame_type::open, 50,
                                 builder{}
                                     .u32(wire::tag::kind, static_cast<std::uint32_t>(wire::stream_kind::command))
                                     .text(wire::tag::shell_text, text));
    agent_process agent;
    std::uint32_t epoch = 0;
    for (std::size_t kept = 1; kept < whole.size(); ++kept) {
        bytes cut;
        agent.encoder().frame(cut, wire::frame_type::open, 50,
                              builder{}
                                  .u32(wire::tag::kind, static_cast<std::uint32_t>(wire::stream_kind::command))
                                  .text(wire::tag::shell_text, text));
        agent.send_raw(std::span{cut}.first(kept));
        const auto streams = agent.resume(++epoch, true);
        BOOST_TEST_CONTEXT("cut after " << kept) {
            BOOST_TEST(streams.empty());
        }
    }
    agent.settle();
    BOOST_TEST(!agent.state(50).opened);
    BOOST_TEST(!std::filesystem::exists(agent.folder() / "root" / "marker"));
    BOOST_TEST(agent.run("echo fine").out == "fine\n");
}

BOOST_AUTO_TEST_CASE(cut_input_never_reaches_the_command) {
    agent_process agent;
    const auto stream = agent.open_command("cat", false);
    agent.send_data(stream, "abc");
    bytes cut;
    agent.encoder().data(cut, stream, bytes(60000, std::byte{'x'}));
    agent.send_raw(std::span{cut}.first(30000));
    const std::vector<std::uint32_t> expected{stream};
    BOOST_TEST(agent.resume(9, true) == expected, boost::test_tools::per_element());
    agent.send_data(stream, "def");
    agent.send(wire::frame_type::end, stream);
    BOOST_TEST(agent.wait_for_end(stream).out.ends_with("def"));
    BOOST_TEST(agent.state(stream).out.find('x') == std::string::npos);
    BOOST_TEST(agent.state(stream).out.find('\0') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
