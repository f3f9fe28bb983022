// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/agent_protocol.hpp>

namespace {

using namespace vmdsl;
using detail::agent_protocol;
using detail::agent_stream_ptr;
using detail::sink_call;
using wire::frame_type;

struct sent_frame {
    wire::header header;
    std::string payload;
};

/// The protocol, and the guest's end of it without any bytes in between.
struct conversation {
    agent_protocol host;
    std::uint32_t epoch = 0;
    std::vector<sink_call> calls;

    void from_guest(frame_type type, std::uint32_t stream = 0, const payload_builder& payload = {},
                    wire::channel channel = wire::channel::main) {
        raw_from_guest(type, stream, payload.view(), channel);
    }
    void data_from_guest(std::uint32_t stream, std::string_view text, wire::channel channel = wire::channel::main) {
        raw_from_guest(frame_type::data, stream, std::as_bytes(std::span{text}), channel);
    }
    void raw_from_guest(frame_type type, std::uint32_t stream, std::span<const std::byte> payload,
                        wire::channel channel = wire::channel::main) {
        host.take({decode_status::frame,
                   {static_cast<std::uint32_t>(payload.size()), stream, epoch, type, channel},
                   payload,
                   decode_problem::none,
                   0},
                  calls);
    }
    void hello(std::string_view boot_id, std::uint32_t in_epoch) {
        epoch = in_epoch;
        from_guest(frame_type::hello, 0,
                   payload_builder{}.u32(wire::tag::version, wire::protocol_version).text(wire::tag::boot_id, boot_id));
    }

    std::vector<std::byte> take_bytes() {
        std::vector<std::byte> bytes;
        host.take_output(bytes, calls);
        return bytes;
    }
    /// One batch.
    std::vector<sent_frame> to_guest() {
        const auto bytes = take_bytes();
        std::vector<sent_frame> frames;
        frame_decoder decoder;
        std::span<const std::byte> rest(bytes);
        while (!rest.empty()) {
            rest = rest.subspan(decoder.feed(rest));
            for (auto found = decoder.next(); found.status != decode_status::need_more; found = decoder.next()) {
                BOOST_REQUIRE(found.status == decode_status::frame);
                frames.push_back(
                    {found.header, {reinterpret_cast<const char*>(found.payload.data()), found.payload.size()}});
            }
        }
        return frames;
    }

    agent_stream_ptr start_command() {
        auto stream = host.open(wire::stream_kind::command, payload_builder{}.text(wire::tag::shell_text, "x"), {});
        (void)to_guest();
        return stream;
    }
};

payload_builder bytes_field(std::uint64_t count) {
    return payload_builder{}.u64(wire::tag::bytes, count);
}

const std::string whole_frame(wire::max_payload, 'x');

BOOST_FIXTURE_TEST_SUITE(agent_protocol_test, conversation)

BOOST_AUTO_TEST_CASE(credit_comes_back_in_pieces) {
    const auto stream = start_command();
    data_from_guest(stream->id, whole_frame);
    BOOST_TEST(!host.has_output());
    data_from_guest(stream->id, whole_frame);
    const auto frames = to_guest();
    BOOST_REQUIRE(frames.size() == 1U);
    BOOST_TEST((frames.front().header.type == frame_type::credit));
    BOOST_TEST(wire::find_field(std::as_bytes(std::span{frames.front().payload}), wire::tag::bytes).number() ==
               2 * wire::max_payload);
}

BOOST_AUTO_TEST_CASE(a_guest_that_takes_nothing_gets_no_credit) {
    const auto stream = start_command();
    for (std::size_t sent = 0; sent < wire::initial_credit; sent += whole_frame.size()) {
        data_from_guest(stream->id, whole_frame);
        data_from_guest(stream->id, whole_frame, wire::channel::errors);
    }
    BOOST_TEST(!host.breach().has_value());
    data_from_guest(stream->id, "x");
    BOOST_REQUIRE(host.breach().has_value());
    BOOST_TEST(*host.breach() == "its agent sent more than it was allowed to");
}

BOOST_AUTO_TEST_CASE(credit_from_the_guest_never_exceeds_what_it_was_sent) {
    const auto stream = start_command();
    host.write(stream, "12345");
    BOOST_TEST(to_guest().size() == 1U);
    from_guest(frame_type::credit, stream->id, bytes_field(5));
    BOOST_TEST(!host.breach().has_value());
    from_guest(frame_type::credit, stream->id, bytes_field(1));
    BOOST_TEST(host.breach().value() == "its agent granted more than it was sent");
}

BOOST_AUTO_TEST_CASE(what_is_written_becomes_frames_only_when_they_are_taken) {
    const auto stream = start_command();
    host.write(stream, std::string(8 * wire::initial_credit, 'x'));
    // A guest that grants without reading: nothing is taken out meanwhile.
    for (int i = 0; i < 100; ++i) {
        from_guest(frame_type::credit, stream->id, bytes_field(0));
    }
    const auto batch = take_bytes();
    BOOST_TEST(batch.size() >= wire::initial_credit);
    BOOST_TEST(batch.size() <= wire::initial_credit + agent_protocol::output_batch);
    BOOST_TEST(!host.has_output());
    from_guest(frame_type::credit, stream->id, bytes_field(10));
    BOOST_TEST(to_guest().front().payload.size() == 10U);
}

BOOST_AUTO_TEST_CASE(streams_take_turns) {
    const auto first = start_command();
    const auto second = start_command();
    host.write(first, whole_frame + whole_frame);
    host.end_of_data(first);
    host.write(second, "short");
    const auto frames = to_guest();
    BOOST_REQUIRE(frames.size() == 4U);
    BOOST_TEST(frames[0].header.stream == first->id);
    BOOST_TEST(frames[1].header.stream == second->id);
    BOOST_TEST(frames[2].header.stream == first->id);
    BOOST_TEST((frames[3].header.type == frame_type::end));
    BOOST_REQUIRE(calls.size() == 2U);
    BOOST_TEST((calls.front().what == sink_call::kind::writable && calls.front().stream == second));
}

BOOST_AUTO_TEST_CASE(a_boot_that_nobody_had_told_of_ends_what_was_open) {
    hello("first", 1);
    const auto stream = start_command();
    hello("first", 1);  // the same agent, once more
    BOOST_TEST(!stream->end.has_value());
    hello("second", 2);
    BOOST_TEST(stream->end.value().error_number == static_cast<std::uint32_t>(ECONNRESET));
    BOOST_TEST(host.answers.boot_id.value() == "second");
}

BOOST_AUTO_TEST_CASE(a_new_agent_is_sent_padding_first_and_frames_of_its_own_epoch) {
    hello("first", 1);
    const auto stream = start_command();
    host.write(stream, whole_frame);
    host.expect_restart(calls);
    host.send_control(frame_type::power);  // for the old one, if it still listens
    BOOST_TEST(to_guest().size() == 1U);
    host.send_control(frame_type::power);
    hello("second", 2);
    host.send_control(frame_type::configure);
    const auto bytes = take_bytes();
    BOOST_REQUIRE(bytes.size() == wire::resync_padding + wire::header_size + wire::trailer_size);
    BOOST_TEST(std::count(bytes.begin(), bytes.begin() + wire::resync_padding, std::byte{0}) == wire::resync_padding);
}

BOOST_AUTO_TEST_CASE(the_last_words_of_an_agent_that_restarts_do_no_harm) {
    hello("first", 1);
    host.expect_restart(calls);
    const auto stream = host.open(wire::stream_kind::command, {}, {});
    from_guest(frame_type::protocol_error);
    from_guest(frame_type::exit, stream->id);
    host.take({decode_status::junk, {}, {}, decode_problem::not_a_header, 7}, calls);
    BOOST_TEST(!host.breach().has_value());
    BOOST_TEST(!stream->end.has_value());
    hello("second", 2);
    host.take({decode_status::junk, {}, {}, decode_problem::not_a_header, 7}, calls);
    BOOST_TEST(host.breach().has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_sent_between_quiesce_and_resume) {
    const auto stream = start_command();
    host.quiesce();
    host.write(stream, "x");
    host.send_signal(stream, 9, false);
    BOOST_TEST(to_guest().size() == 1U);
    host.write(stream, "x");
    BOOST_TEST(!host.has_output());
    BOOST_TEST(take_bytes().empty());
    host.resume(7, true, {});
    BOOST_TEST(host.has_output());
}

BOOST_AUTO_TEST_CASE(a_clone_has_what_had_come_before_the_save) {
    hello("boot", 1);
    const auto running = start_command();
    const auto ended = start_command();
    data_from_guest(running->id, std::string(wire::max_payload, 'r'));
    data_from_guest(running->id, "warning", wire::channel::errors);
    data_from_guest(ended->id, "done");
    from_guest(frame_type::exit, ended->id, payload_builder{}.u32(wire::tag::exit_code, 3));
    (void)start_command();
    const auto saved = host.save();

    conversation clone;
    clone.host.restore(saved);
    clone.host.resume(9, true, {});
    (void)clone.to_guest();
    const auto other = clone.host.attach(ended->id);
    BOOST_TEST(other->end.value().exit_code == 3);
    BOOST_TEST(other->collected[0] == "done");
    clone.epoch = 9;
    const auto alive = payload_builder{}.u32(wire::tag::stream_id, running->id).u32(wire::tag::stream_id, 77);
    clone.from_guest(frame_type::resumed, 0, alive);
    clone.from_guest(frame_type::resumed, 0, alive);  // says nothing new, and queues nothing
    const auto same = clone.host.attach(running->id);
    BOOST_TEST(!same->end.has_value());
    BOOST_TEST(same->collected[0].size() == wire::max_payload);
    BOOST_TEST(same->collected[1] == "warning");
    // Its credit is whole again, on both sides.
    for (std::size_t sent = 0; sent < wire::initial_credit; sent += whole_frame.size()) {
        clone.data_from_guest(running->id, whole_frame);
    }
    BOOST_TEST(!clone.host.breach().has_value());
    // The one that the agent does not have ended unseen; the one that nobody has here is closed; new ones are new.
    BOOST_TEST(clone.host.attach(ended->id + 1)->end.value().error_number == static_cast<std::uint32_t>(ESRCH));
    BOOST_TEST(clone.host.attach(4711)->end.value().error_number == static_cast<std::uint32_t>(ESRCH));
    const auto frames = clone.to_guest();
    BOOST_REQUIRE(frames.size() == 2U);
    BOOST_TEST((frames.front().header.type == frame_type::close));
    BOOST_TEST(frames.front().header.stream == 77U);
    BOOST_TEST(clone.start_command()->id == ended->id + 2);
    // The next boot is told from this one.
    clone.hello("boot", 9);
    BOOST_TEST(!clone.host.answers.boot_id.has_value());
}

BOOST_AUTO_TEST_CASE(connections_are_not_saved) {
    stream_sink sink;
    sink.on_data = [](wire::channel, std::string_view) {};
    const auto stream = host.open(wire::stream_kind::dial, {}, std::move(sink));
    BOOST_TEST(host.save().streams.empty());
    BOOST_TEST(host.save().next_id == stream->id + 1);
}

BOOST_AUTO_TEST_CASE(a_stream_is_closed_once) {
    const auto stream = start_command();
    host.close(stream, calls);
    host.close(stream, calls);
    BOOST_TEST(to_guest().size() == 1U);
    from_guest(frame_type::exit, stream->id);
    host.close(stream, calls);
    host.send_signal(stream, 9, true);
    host.resize(stream, {50, 132});
    host.write(stream, "x");
    BOOST_TEST(!host.has_output());
}

BOOST_AUTO_TEST_CASE(a_terminal_is_told_its_new_size) {
    hello("boot", 1);
    const auto stream = host.open(wire::stream_kind::terminal, {}, {});
    (void)to_guest();
    host.resize(stream, {50, 132});
    const auto frames = to_guest();
    BOOST_REQUIRE(frames.size() == 1U);
    BOOST_TEST((frames[0].header.type == frame_type::resize));
    BOOST_TEST(frames[0].header.stream == stream->id);
    const auto payload = std::as_bytes(std::span{frames[0].payload});
    BOOST_TEST(wire::find_field(payload, wire::tag::rows).number() == 50U);
    BOOST_TEST(wire::find_field(payload, wire::tag::columns).number() == 132U);
    host.expect_restart(calls);
    const auto held = host.open(wire::stream_kind::terminal, {}, {});
    host.resize(held, {50, 132});
    BOOST_TEST(!host.has_output());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
