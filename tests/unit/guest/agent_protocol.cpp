// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <functional>
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
    host.send_signal(stream, SIGKILL, signal_target::process);
    BOOST_TEST(to_guest().size() == 1U);
    host.write(stream, "x");
    BOOST_TEST(!host.has_output());
    BOOST_TEST(take_bytes().empty());
    host.resume(7, true, {});
    BOOST_TEST(host.has_output());
}

BOOST_AUTO_TEST_CASE(a_save_during_a_restart_waits_for_the_next_agent) {
    hello("first", 1);
    host.expect_restart(calls);
    host.quiesce();
    BOOST_TEST(take_bytes().empty());
    from_guest(frame_type::quiesced);  // of the one before
    BOOST_TEST(!host.answers.quiesced);
    hello("second", 2);
    BOOST_TEST(take_bytes().size() == wire::resync_padding + wire::header_size + wire::trailer_size);
    host.send_control(frame_type::power);
    BOOST_TEST(!host.has_output());
    from_guest(frame_type::quiesced);
    BOOST_TEST(host.answers.quiesced);
}

BOOST_AUTO_TEST_CASE(what_an_agent_of_another_epoch_says_is_dropped) {
    hello("first", 1);
    host.quiesce();
    epoch = 2;
    from_guest(frame_type::quiesced);
    from_guest(frame_type::configured);
    from_guest(frame_type::protocol_error);
    BOOST_TEST(!host.answers.quiesced);
    BOOST_TEST(!host.answers.configured.has_value());
    BOOST_TEST(!host.breach().has_value());
}

BOOST_AUTO_TEST_CASE(a_stream_that_is_named_often_is_closed_once) {
    host.resume(0, true, {});
    (void)to_guest();
    payload_builder alive;
    for (int i = 0; i < 1000; ++i) {
        alive.u32(wire::tag::stream_id, 77);
    }
    from_guest(frame_type::resumed, 0, alive);
    BOOST_TEST(to_guest().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_command_ends_in_no_way_that_there_is_not) {
    const std::pair<wire::tag, std::uint32_t> most[] = {{wire::tag::exit_code, 255}, {wire::tag::signal_number, 127}};
    for (const auto& [tag, value] : most) {
        const auto stream = start_command();
        from_guest(frame_type::exit, stream->id, payload_builder{}.u32(tag, value));
        BOOST_TEST(stream->end.has_value());
        BOOST_TEST(!host.breach().has_value());
    }
    for (const auto& [tag, value] : most) {
        for (const std::uint32_t wrong : {value + 1, 0x7fffffffU, 0xffffffffU}) {
            conversation other;
            const auto stream = other.start_command();
            other.from_guest(frame_type::exit, stream->id, payload_builder{}.u32(tag, wrong));
            BOOST_TEST(!stream->end.has_value());
            BOOST_TEST(other.host.breach().value() == "its agent said that a command ended in a way in which none can");
        }
    }
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
    host.send_signal(stream, SIGKILL, signal_target::tree);
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

/// A conversation from the first greeting to the first frame after a restore, step by step.
struct whole_conversation : conversation {
    std::vector<agent_stream_ptr> streams;

    void open() { streams.push_back(host.open(wire::stream_kind::command, {}, {})); }

    static std::vector<std::function<void(whole_conversation&)>> steps() {
        using self = whole_conversation;
        return {
            [](self& c) { c.hello("first", 1); },
            [](self& c) { c.host.send_control(frame_type::configure); },
            [](self& c) { (void)c.to_guest(); },
            [](self& c) { c.from_guest(frame_type::configured); },
            [](self& c) { c.open(); },
            [](self& c) { c.host.write(c.streams[0], std::string(2 * wire::initial_credit, 'x')); },
            [](self& c) { (void)c.to_guest(); },
            [](self& c) { c.from_guest(frame_type::opened, c.streams[0]->id); },
            [](self& c) { c.from_guest(frame_type::credit, c.streams[0]->id, bytes_field(wire::max_payload)); },
            [](self& c) { c.host.end_of_data(c.streams[0]); },
            [](self& c) { c.data_from_guest(c.streams[0]->id, whole_frame); },
            [](self& c) { c.data_from_guest(c.streams[0]->id, whole_frame); },
            [](self& c) { c.open(); },
            [](self& c) { c.host.send_signal(c.streams[0], SIGKILL, signal_target::tree); },
            [](self& c) { c.host.close(c.streams[1], c.calls); },
            [](self& c) { (void)c.to_guest(); },
            [](self& c) { c.from_guest(frame_type::exit, c.streams[0]->id); },
            [](self& c) { c.open(); },
            [](self& c) { c.host.quiesce(); },
            [](self& c) { c.host.write(c.streams[2], "more"); },
            [](self& c) { c.host.send_signal(c.streams[2], SIGTERM, signal_target::process); },
            [](self& c) { (void)c.to_guest(); },
            [](self& c) { c.from_guest(frame_type::quiesced); },
            [](self& c) { c.host.resume(9, true, {}); },
            [](self& c) { (void)c.to_guest(); },
            [](self& c) { c.epoch = 9; },
            [](self& c) {
                c.from_guest(frame_type::resumed, 0,
                             payload_builder{}.u32(wire::tag::stream_id, 3).u32(wire::tag::stream_id, 77));
            },
            [](self& c) { (void)c.to_guest(); },
        };
    }

    /// So many steps, and then it is up to the caller.
    explicit whole_conversation(std::size_t count) {
        const auto all = steps();
        for (std::size_t i = 0; i < count; ++i) {
            all[i](*this);
        }
        BOOST_REQUIRE(!host.breach().has_value());
    }

    void check_that_all_have_ended() {
        for (const auto& stream : streams) {
            BOOST_TEST(stream->over);
            BOOST_TEST(stream->pending.empty());
            BOOST_TEST(std::count_if(calls.begin(), calls.end(), [&](const sink_call& call) {
                           return call.stream == stream && call.what == sink_call::kind::closed;
                       }) == 1);
        }
    }

    /// The next agent can be asked for a command and be saved.
    void check_that_all_goes_on(std::uint32_t in_epoch) {
        open();
        const auto frames = to_guest();
        BOOST_REQUIRE(frames.size() == 1U);
        BOOST_TEST((frames[0].header.type == frame_type::open));
        BOOST_TEST(frames[0].header.epoch == in_epoch);
        host.quiesce();
        BOOST_TEST(to_guest().size() == 1U);
        host.send_control(frame_type::power);
        BOOST_TEST(to_guest().empty());
        from_guest(frame_type::quiesced);
        BOOST_TEST(host.answers.quiesced);
    }
};

BOOST_AUTO_TEST_SUITE(agent_protocol_loses_the_agent_test)

BOOST_AUTO_TEST_CASE(for_good) {
    for (std::size_t k = 0; k <= whole_conversation::steps().size(); ++k) {
        BOOST_TEST_CONTEXT("after step " << k) {
            whole_conversation it(k);
            it.host.abandon(it.calls);
            BOOST_TEST(!it.host.has_output());
            BOOST_TEST(it.take_bytes().empty());
            it.check_that_all_have_ended();
        }
    }
}

BOOST_AUTO_TEST_CASE(to_a_restart_that_was_announced) {
    for (std::size_t k = 1; k <= whole_conversation::steps().size(); ++k) {
        BOOST_TEST_CONTEXT("after step " << k) {
            whole_conversation it(k);
            it.host.expect_restart(it.calls);
            BOOST_TEST(it.take_bytes().empty());
            it.check_that_all_have_ended();
            it.hello("second", 70);
            BOOST_TEST(it.take_bytes().size() == wire::resync_padding);
            it.check_that_all_goes_on(70);
        }
    }
}

BOOST_AUTO_TEST_CASE(to_a_restart_that_nobody_had_told_of) {
    for (std::size_t k = 1; k <= whole_conversation::steps().size(); ++k) {
        BOOST_TEST_CONTEXT("after step " << k) {
            whole_conversation it(k);
            it.hello("second", 70);
            it.check_that_all_have_ended();
            BOOST_TEST(it.take_bytes().size() == wire::resync_padding);
            it.check_that_all_goes_on(70);
        }
    }
}

BOOST_AUTO_TEST_CASE(to_a_restart_while_it_is_to_be_saved) {
    for (std::size_t k = 1; k <= whole_conversation::steps().size(); ++k) {
        BOOST_TEST_CONTEXT("after step " << k) {
            whole_conversation it(k);
            it.host.expect_restart(it.calls);
            it.host.quiesce();
            BOOST_TEST(it.take_bytes().empty());
            it.hello("second", 70);
            BOOST_TEST(it.take_bytes().size() == wire::resync_padding + wire::header_size + wire::trailer_size);
            it.host.send_control(frame_type::power);
            BOOST_TEST(it.take_bytes().empty());
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
