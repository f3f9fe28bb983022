// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <cstddef>
#include <random>
#include <string>

#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
using builder = vmdsl::payload_builder;

/// What the agent answers to a frame that makes no sense.
std::string complaint(agent_process& agent, wire::frame_type type, std::uint32_t stream, const builder& payload = {},
                      wire::channel channel = wire::channel::main) {
    agent.send(type, stream, payload, channel);
    const auto answer = agent.wait_for_control(wire::frame_type::protocol_error);
    return std::string{wire::find_field(answer, wire::tag::error_text).text()};
}

bytes random_bytes(std::mt19937& random, std::size_t size) {
    bytes result(size);
    for (auto& each : result) {
        each = static_cast<std::byte>(random() & 0xff);
    }
    return result;
}

BOOST_AUTO_TEST_SUITE(hostile_hosts)

BOOST_AUTO_TEST_CASE(frames_without_sense_are_complained_about) {
    agent_process agent;
    using enum wire::frame_type;
    BOOST_TEST(complaint(agent, hello, 0) == "a frame of type 1 makes no sense on the control stream");
    BOOST_TEST(complaint(agent, open, 0) == "a frame of type 16 makes no sense on the control stream");
    BOOST_TEST(complaint(agent, quiesce, 3) == "a frame of type 4 makes no sense on a stream");
    BOOST_TEST(complaint(agent, static_cast<wire::frame_type>(4711), 3) ==
               "a frame of type 4711 makes no sense on a stream");
    BOOST_TEST(complaint(agent, data, 3, {}, static_cast<wire::channel>(2)) == "there is no channel 2");
    BOOST_TEST(complaint(agent, resume, 0) == "a resume frame without an epoch");
    BOOST_TEST(complaint(agent, power, 0) == "a power frame without a power_action");
    BOOST_TEST(complaint(agent, power, 0, builder{}.u32(wire::tag::power_action, 1)) ==
               "this agent does not touch the system");
    BOOST_TEST(complaint(agent, signal, 3) == "there is no signal 0");
    BOOST_TEST(complaint(agent, signal, 3, builder{}.u32(wire::tag::signal_number, 65)) == "there is no signal 65");
    const auto stream = agent.open_command("cat", false);
    BOOST_TEST(complaint(agent, open, stream, builder{}.u32(wire::tag::kind, 1)) ==
               "stream " + std::to_string(stream) + " is open already");
    BOOST_TEST(complaint(agent, data, stream, {}, wire::channel::errors) ==
               "data where none can be taken, on stream " + std::to_string(stream));
    BOOST_TEST(complaint(agent, end, stream, {}, wire::channel::errors) ==
               "end of a channel that takes no data, on stream " + std::to_string(stream));
    agent.send(end, stream);
    BOOST_TEST((agent.wait_for_end(stream).exit_code == 0U));
}

BOOST_AUTO_TEST_CASE(broken_fields_are_complained_about) {
    agent_process agent;
    bytes frame;
    agent.encoder().frame(frame, wire::frame_type::open, 5, bytes(9, std::byte{0xff}));
    agent.send_raw(frame);
    const auto answer = agent.wait_for_control(wire::frame_type::protocol_error);
    BOOST_TEST(wire::find_field(answer, wire::tag::error_text).text() == "a frame of type 16 has broken fields");
    agent.settle();
}

BOOST_AUTO_TEST_CASE(frames_for_streams_that_are_gone_are_ignored) {
    agent_process agent;
    const auto stream = agent.open_command("true");
    agent.wait_for_end(stream);
    using enum wire::frame_type;
    agent.send(data, stream, builder{}.text(wire::tag::path, "x"));
    agent.send(end, stream);
    agent.send(credit, stream, builder{}.u64(wire::tag::bytes, 5));
    agent.send(signal, stream, builder{}.u32(wire::tag::signal_number, 9));
    agent.send(close, stream);
    agent.settle();
    BOOST_TEST(agent.errors_seen() == 0U);
}

BOOST_AUTO_TEST_CASE(unknown_kinds_are_refused) {
    agent_process agent;
    for (const std::uint32_t kind : {0U, 7U, 0xffffffffU}) {
        const auto stream = agent.open(static_cast<wire::stream_kind>(kind), {});
        BOOST_TEST((agent.wait_for_end(stream).error_number == static_cast<std::uint32_t>(EINVAL)));
    }
}

BOOST_AUTO_TEST_CASE(data_beyond_the_credit_ends_the_stream) {
    agent_process agent;
    const auto stream = agent.open_command("sleep 1000", false);
    agent.wait_for_opened(stream);
    bytes frames;
    agent.encoder().data(frames, stream, bytes(4 * wire::initial_credit));
    agent.state(stream).window = 0;
    agent.send_raw(frames);
    const auto answer = agent.wait_for_control(wire::frame_type::protocol_error);
    BOOST_TEST(wire::find_field(answer, wire::tag::error_text).text() ==
               "more data than credit, on stream " + std::to_string(stream));
    BOOST_TEST(agent.wait_for_end(stream).signal.has_value());
    agent.settle();
}

BOOST_AUTO_TEST_CASE(credit_never_wraps_around) {
    agent_process agent;
    agent.automatic_credit = false;
    const auto stream = agent.open_command("head -c 3000000 /dev/zero");
    for (int i = 0; i < 3; ++i) {
        agent.give_credit(stream, ~std::uint64_t{0});
    }
    BOOST_TEST(agent.wait_for_end(stream).out.size() == 3000000U);
}

BOOST_AUTO_TEST_CASE(too_many_streams_are_refused) {
    agent_process agent;
    const auto folder = agent.folder();
    std::size_t refused = 0;
    std::vector<std::uint32_t> streams;
    for (int i = 0; i < 4200; ++i) {
        // A file that is being written costs no process.
        streams.push_back(
            agent.open(wire::stream_kind::write_file, builder{}.text(wire::tag::path, "file" + std::to_string(i))));
    }
    agent.settle();
    for (const auto stream : streams) {
        refused += agent.state(stream).error_number == static_cast<std::uint32_t>(EMFILE) ? 1U : 0U;
    }
    BOOST_TEST(refused >= 104U);
    for (const auto stream : streams) {
        if (!agent.state(stream).finished) {
            agent.send(wire::frame_type::close, stream);
        }
    }
    for (const auto stream : streams) {
        agent.wait_for_end(stream);
    }
    BOOST_TEST(agent.run("echo fine").out == "fine\n");
}

BOOST_AUTO_TEST_CASE(a_host_that_never_reads_the_answers_stops_being_read) {
    agent_process agent;
    bytes pings;
    agent.encoder().frame(pings, wire::frame_type::ping, 0, bytes(wire::max_payload));
    constexpr int count = 200;
    for (int i = 0; i < count; ++i) {
        agent.send_raw(pings);
    }
    // Not all of it went out, as we did not read; it does as soon as we do, and all is answered.
    BOOST_TEST(agent.unsent() > 0U);
    for (int i = 0; i < count; ++i) {
        BOOST_TEST(agent.wait_for_control(wire::frame_type::pong).size() == wire::max_payload);
    }
    agent.settle();
}

BOOST_AUTO_TEST_CASE(noise_is_survived) {
    agent_process agent;
    agent.settle();
    std::mt19937 random{99};
    for (int round = 0; round < 200; ++round) {
        agent.send_raw(random_bytes(random, 1 + random() % 3000));
    }
    bytes padding;
    agent.encoder().resync_padding(padding);
    agent.send_raw(padding);
    agent.settle();
    BOOST_TEST(agent.errors_seen() > 0U);
    BOOST_TEST(agent.run("echo fine").out == "fine\n");
}

BOOST_AUTO_TEST_CASE(well_formed_nonsense_is_survived) {
    agent_process agent;
    std::mt19937 random{100};
    // No open (it would run what is in it), no resume and quiesce (they would end the conversation).
    constexpr std::uint16_t types[] = {0, 1, 2, 3, 5, 7, 9, 10, 11, 12, 15, 17, 18, 19, 20, 21, 22, 23, 24, 25, 65535};
    const auto stream = agent.open_command("cat > /dev/null", false);
    agent.wait_for_opened(stream);
    for (int round = 0; round < 3000; ++round) {
        auto payload = random_bytes(random, random() % 64);
        if (payload.size() > wire::field_header_size && random() % 2 == 0) {
            // One whole field with a known tag.
            wire::put16(payload.data(), static_cast<std::uint16_t>(random() % 40));
            wire::put32(payload.data() + 2, static_cast<std::uint32_t>(payload.size() - wire::field_header_size));
        }
        bytes frame;
        agent.encoder().frame(frame, static_cast<wire::frame_type>(types[random() % std::size(types)]),
                              random() % 3 == 0 ? 0 : stream + static_cast<std::uint32_t>(random() % 2), payload,
                              static_cast<wire::channel>(random() % 3));
        agent.send_raw(frame);
    }
    agent.settle();
    BOOST_TEST(agent.errors_seen() > 0U);
    BOOST_TEST(agent.run("echo fine").out == "fine\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
