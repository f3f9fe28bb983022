// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <vmdsl/guest/agent_protocol.hpp>

namespace vmdsl::detail {

inline std::string_view frame_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// All texts of what did not work.
inline std::string error_texts(std::span<const std::byte> payload) {
    std::string errors;
    wire::field field;
    while (wire::next_field(payload, field)) {
        if (field.tag == wire::tag::error_text) {
            errors += (errors.empty() ? "" : "; ") + std::string(field.text());
        }
    }
    return errors;
}

inline stream_end read_stream_end(wire::frame_type type, std::span<const std::byte> payload) {
    const auto number = [&](wire::tag tag) { return wire::find_field(payload, tag).number(); };
    stream_end end;
    end.failed = type == wire::frame_type::failed;
    end.error_number = static_cast<std::uint32_t>(number(wire::tag::error_number));
    end.error_text = std::string(wire::find_field(payload, wire::tag::error_text).text());
    end.exit_code = static_cast<int>(number(wire::tag::exit_code));
    end.signal = static_cast<int>(number(wire::tag::signal_number));
    end.lingering = wire::has_field(payload, wire::tag::lingering);
    end.duration =
        std::chrono::nanoseconds(static_cast<std::int64_t>(number(wire::tag::nanoseconds) & 0x7fffffffffffffffULL));
    end.size = number(wire::tag::size);
    end.mode = static_cast<std::uint32_t>(number(wire::tag::mode));
    return end;
}

inline stream_end failed_end(std::uint32_t error_number, std::string_view why) {
    stream_end end;
    end.failed = true;
    end.error_number = error_number;
    end.error_text = std::string(why);
    return end;
}

// What wait(2) has room for.
inline constexpr std::uint64_t largest_exit_code = 255;
inline constexpr std::uint64_t largest_signal = 127;

inline constexpr std::string_view ended_before_checkpoint = "it had ended before the checkpoint was saved";

VMDSL_DECL void perform(const sink_call& call) {
    auto& sink = call.stream->sink;
    switch (call.what) {
        case sink_call::kind::data:
            if (sink.on_data) {
                sink.on_data(call.channel, call.bytes);
            }
            break;
        case sink_call::kind::end_of_data:
            if (sink.on_end_of_data) {
                sink.on_end_of_data(call.channel);
            }
            break;
        case sink_call::kind::writable:
            if (sink.on_writable) {
                sink.on_writable();
            }
            break;
        case sink_call::kind::closed: {
            // It may own what it is called on, which owns the stream: so it is let go of.
            const auto last = std::exchange(sink, {});
            if (last.on_closed) {
                last.on_closed();
            }
            break;
        }
    }
}

VMDSL_DECL void agent_protocol::take(const decoded& found, std::vector<sink_call>& calls) {
    if (found.status == decode_status::need_more) {
        return;
    }
    if (found.status == decode_status::junk) {
        if (!restarting_) {  // else it is the rest of a frame that the restart cut
            breach_ = "its agent sent bytes that are no frame";
        }
        return;
    }
    const auto& header = found.header;
    const bool greets = header.stream == 0 && header.type == wire::frame_type::hello;
    if (!greets && (restarting_ || header.epoch != encoder_.epoch())) {
        return;  // a left-over
    }
    if (header.stream == 0) {
        take_control(header, found.payload, calls);
        return;
    }
    const auto stream = streams_.find(header.stream);
    if (stream != streams_.end()) {  // else it has ended
        take_stream(agent_stream_ptr(stream->second), header, found.payload, calls);
    }
}

VMDSL_DECL void agent_protocol::take_control(const wire::header& header, std::span<const std::byte> payload,
                                             std::vector<sink_call>& calls) {
    switch (header.type) {
        case wire::frame_type::hello:
            take_hello(header, payload, calls);
            break;
        case wire::frame_type::configured:
            answers.configured = error_texts(payload);
            break;
        case wire::frame_type::quiesced:
            answers.quiesced = true;
            break;
        case wire::frame_type::resumed:
            if (std::exchange(resuming_, false)) {
                take_resumed(payload, calls);
            }
            break;
        case wire::frame_type::protocol_error:
            breach_ = "its agent did not understand the host: " +
                      std::string(wire::find_field(payload, wire::tag::error_text).text());
            break;
        default:
            break;
    }
}

VMDSL_DECL void agent_protocol::take_hello(const wire::header& header, std::span<const std::byte> payload,
                                           std::vector<sink_call>& calls) {
    const auto version = wire::find_field(payload, wire::tag::version).number();
    if (version != wire::protocol_version) {
        breach_ = "its agent speaks version " + std::to_string(version) + " of the protocol, not " +
                  std::to_string(wire::protocol_version);
        return;
    }
    const std::string id(wire::find_field(payload, wire::tag::boot_id).text());
    if (id == last_boot_id_ && header.epoch == encoder_.epoch()) {
        return;  // the same agent, greeting a connection again
    }
    if (!last_boot_id_.empty()) {
        if (!restarting_) {
            expect_restart(calls);  // nobody had told us
        }
        // What the agent before was being sent may have been cut anywhere, and may be followed by whole frames for it.
        // The epoch tells those; the padding ends what a piece of the cut one may have been taken for.
        drop_output();
        encoder_.resync_padding(control_);
    }
    restarting_ = false;
    last_boot_id_ = id;
    answers.boot_id = id;
    encoder_.set_epoch(header.epoch);
    for (const auto& [stream_id, stream] : streams_) {
        if (const auto request = std::exchange(stream->held_open, std::nullopt)) {
            encoder_.frame(control_, wire::frame_type::open, stream_id, *request);
            get_in_line(stream);
        }
    }
    if (std::exchange(quiesce_waits_, false)) {
        quiesce();
    }
}

VMDSL_DECL void agent_protocol::take_resumed(std::span<const std::byte> payload, std::vector<sink_call>& calls) {
    answers.resumed = true;
    std::vector<std::uint32_t> alive;
    wire::field field;
    while (wire::next_field(payload, field)) {
        if (field.tag == wire::tag::stream_id) {
            alive.push_back(static_cast<std::uint32_t>(field.number()));
        }
    }
    std::sort(alive.begin(), alive.end());
    alive.erase(std::unique(alive.begin(), alive.end()), alive.end());
    for (const auto& [id, stream] : std::map(streams_)) {
        if (!std::binary_search(alive.begin(), alive.end(), id)) {
            finish(stream, failed_end(ESRCH, ended_before_checkpoint), calls);
        }
    }
    for (const auto id : alive) {
        if (!streams_.contains(id)) {
            encoder_.frame(control_, wire::frame_type::close, id);  // a forwarded connection, whose other end is gone
        }
    }
}

VMDSL_DECL void agent_protocol::take_stream(const agent_stream_ptr& stream, const wire::header& header,
                                            std::span<const std::byte> payload, std::vector<sink_call>& calls) {
    const auto channel = header.channel == wire::channel::errors ? wire::channel::errors : wire::channel::main;
    switch (header.type) {
        case wire::frame_type::opened:
            stream->opened = true;
            break;
        case wire::frame_type::data:
            take_data(stream, channel, payload, calls);
            break;
        case wire::frame_type::end:
            calls.push_back({stream, sink_call::kind::end_of_data, channel, {}});
            break;
        case wire::frame_type::credit:
            take_credit(stream, wire::find_field(payload, wire::tag::bytes).number());
            break;
        case wire::frame_type::exit:
        case wire::frame_type::failed:
            take_end(stream, header.type, payload, calls);
            break;
        default:
            break;
    }
}

VMDSL_DECL void agent_protocol::take_data(const agent_stream_ptr& stream, wire::channel channel,
                                          std::span<const std::byte> payload, std::vector<sink_call>& calls) {
    auto& granted = stream->granted[static_cast<std::size_t>(channel)];
    if (payload.size() > granted) {
        breach_ = "its agent sent more than it was allowed to";
        return;
    }
    granted -= payload.size();
    if (!stream->collects) {
        calls.push_back({stream, sink_call::kind::data, channel, frame_text(payload)});
    } else {
        collect(stream, channel, payload);
    }
}

VMDSL_DECL void agent_protocol::collect(const agent_stream_ptr& stream, wire::channel channel,
                                        std::span<const std::byte> payload) {
    auto& collected = stream->collected[static_cast<std::size_t>(channel)];
    if (stream->too_much || collected.size() + payload.size() > max_collected_output) {
        stream->too_much = true;
        send_close(*stream);
        return;
    }
    collected += frame_text(payload);
    grant(stream, channel, payload.size());
}

VMDSL_DECL void agent_protocol::take_credit(const agent_stream_ptr& stream, std::uint64_t bytes) {
    if (bytes > wire::initial_credit - stream->credit) {
        breach_ = "its agent granted more than it was sent";
        return;
    }
    stream->credit += bytes;
    get_in_line(stream);
}

VMDSL_DECL void agent_protocol::take_end(const agent_stream_ptr& stream, wire::frame_type type,
                                         std::span<const std::byte> payload, std::vector<sink_call>& calls) {
    if (wire::find_field(payload, wire::tag::exit_code).number() > largest_exit_code ||
        wire::find_field(payload, wire::tag::signal_number).number() > largest_signal) {
        breach_ = "its agent said that a command ended in a way in which none can";
        return;
    }
    finish(stream, read_stream_end(type, payload), calls);
}

VMDSL_DECL void agent_protocol::finish(const agent_stream_ptr& stream, stream_end end, std::vector<sink_call>& calls) {
    if (stream->too_much) {
        end.failed = true;
        end.error_number = EFBIG;
        end.error_text = "it sent more than " + std::to_string(max_collected_output >> 20U) + " MiB";
    }
    stream->end = std::move(end);
    stream->over = true;
    stream->pending.clear();
    streams_.erase(stream->id);
    std::erase_if(ended_, [](const auto& each) { return each.expired(); });
    ended_.push_back(stream);
    calls.push_back({stream, sink_call::kind::closed, wire::channel::main, {}});
}

VMDSL_DECL void agent_protocol::expect_restart(std::vector<sink_call>& calls) {
    restarting_ = true;
    answers.boot_id.reset();
    drop_output();
    for (const auto& [id, stream] : std::map(streams_)) {
        if (!stream->held_open) {
            finish(stream, failed_end(ECONNRESET, "the machine was restarted"), calls);
        }
    }
}

VMDSL_DECL void agent_protocol::abandon(std::vector<sink_call>& calls) {
    for (const auto& [id, stream] : std::exchange(streams_, {})) {
        stream->over = true;
        stream->pending.clear();
        calls.push_back({stream, sink_call::kind::closed, wire::channel::main, {}});
    }
    drop_output();
    restored_.clear();
}

VMDSL_DECL void agent_protocol::drop_output() {
    control_.clear();
    held_at_.reset();
    line_.clear();
}

VMDSL_DECL void agent_protocol::get_in_line(const agent_stream_ptr& stream) {
    if (!stream->over && !stream->held_open && !std::exchange(stream->in_line, true)) {
        line_.push_back(stream);
    }
}

VMDSL_DECL void agent_protocol::take_output(std::vector<std::byte>& to, std::vector<sink_call>& calls) {
    const auto asked_for = control_.begin() + static_cast<std::ptrdiff_t>(held_at_.value_or(control_.size()));
    to.insert(to.end(), control_.begin(), asked_for);
    control_.erase(control_.begin(), asked_for);
    if (held_at_) {
        held_at_ = 0;
        return;
    }
    const auto enough = to.size() + output_batch;
    while (!line_.empty() && to.size() < enough) {
        const auto stream = std::move(line_.front());
        line_.pop_front();
        stream->in_line = false;
        if (!stream->over) {
            send_credit(*stream, to);
            send_data(stream, to, calls);
        }
    }
}

VMDSL_DECL void agent_protocol::send_credit(agent_stream_state& stream, std::vector<std::byte>& to) {
    for (const auto channel : {wire::channel::main, wire::channel::errors}) {
        const auto index = static_cast<std::size_t>(channel);
        if (stream.used_up[index] >= credit_piece) {
            const auto bytes = std::exchange(stream.used_up[index], 0);
            stream.granted[index] += bytes;
            payload_builder payload;
            payload.u64(wire::tag::bytes, bytes);
            encoder_.frame(to, wire::frame_type::credit, stream.id, payload, channel);
        }
    }
}

/// One frame at most: then it is another stream's turn.
VMDSL_DECL void agent_protocol::send_data(const agent_stream_ptr& stream, std::vector<std::byte>& to,
                                          std::vector<sink_call>& calls) {
    auto& pending = stream->pending;
    const auto text = pending.view().substr(0, std::min<std::size_t>(stream->credit, wire::max_payload));
    if (!text.empty()) {
        encoder_.data(to, stream->id, std::as_bytes(std::span{text}));
        stream->credit -= text.size();
        pending.drop(text.size());
        if (pending.empty()) {
            calls.push_back({stream, sink_call::kind::writable, wire::channel::main, {}});
        }
    }
    if (pending.empty() && stream->end_wanted && !std::exchange(stream->end_sent, true)) {
        encoder_.frame(to, wire::frame_type::end, stream->id);
    }
    if (!pending.empty() && stream->credit > 0) {
        get_in_line(stream);
    }
}

VMDSL_DECL agent_stream_ptr agent_protocol::open(wire::stream_kind kind, payload_builder request, stream_sink sink) {
    request.u32(wire::tag::kind, static_cast<std::uint32_t>(kind));
    const auto before = control_.size();
    encoder_.frame(control_, wire::frame_type::open, next_id_, request);  // throws where it is too long
    auto stream = std::make_shared<agent_stream_state>();
    stream->id = next_id_++;
    stream->collects = !sink.on_data;
    stream->sink = std::move(sink);
    if (restarting_) {
        control_.resize(before);
        stream->held_open = std::move(request);
    }
    streams_.emplace(stream->id, stream);
    return stream;
}

VMDSL_DECL void agent_protocol::write(const agent_stream_ptr& stream, std::string bytes) {
    if (!stream->over) {
        stream->pending.append(std::move(bytes));
        get_in_line(stream);
    }
}

VMDSL_DECL void agent_protocol::end_of_data(const agent_stream_ptr& stream) {
    stream->end_wanted = true;
    get_in_line(stream);
}

VMDSL_DECL void agent_protocol::grant(const agent_stream_ptr& stream, wire::channel channel, std::size_t bytes) {
    auto& used_up = stream->used_up[static_cast<std::size_t>(channel)];
    used_up += bytes;
    if (used_up >= credit_piece) {
        get_in_line(stream);
    }
}

VMDSL_DECL void agent_protocol::send_signal(const agent_stream_ptr& stream, int number, signal_target to) {
    if (stream->over || stream->held_open) {
        return;
    }
    payload_builder payload;
    payload.u32(wire::tag::signal_number, static_cast<std::uint32_t>(number));
    if (to == signal_target::tree) {
        payload.flag(wire::tag::whole_tree);
    }
    encoder_.frame(control_, wire::frame_type::signal, stream->id, payload);
}

VMDSL_DECL void agent_protocol::resize(const agent_stream_ptr& stream, terminal_size size) {
    if (stream->over || stream->held_open) {
        return;
    }
    payload_builder payload;
    payload.u32(wire::tag::rows, size.rows).u32(wire::tag::columns, size.columns);
    encoder_.frame(control_, wire::frame_type::resize, stream->id, payload);
}

VMDSL_DECL void agent_protocol::close(const agent_stream_ptr& stream, std::vector<sink_call>& calls) {
    if (stream->held_open) {
        finish(stream, failed_end(ECANCELED, "it was not started, as the machine was restarting"), calls);
    } else if (!stream->over) {
        send_close(*stream);
    }
}

VMDSL_DECL void agent_protocol::send_close(agent_stream_state& stream) {
    if (!std::exchange(stream.close_sent, true)) {
        encoder_.frame(control_, wire::frame_type::close, stream.id);
    }
}

VMDSL_DECL void agent_protocol::send_control(wire::frame_type type, const payload_builder& payload) {
    encoder_.frame(control_, type, 0, payload);
}

VMDSL_DECL void agent_protocol::quiesce() {
    answers.quiesced = false;
    quiesce_waits_ = restarting_;
    if (quiesce_waits_) {
        return;
    }
    send_control(wire::frame_type::quiesce);
    held_at_ = control_.size();
}

VMDSL_DECL void agent_protocol::resume(std::uint32_t epoch, bool quiesced, payload_builder request) {
    if (!quiesced) {
        encoder_.resync_padding(control_);
    }
    held_at_.reset();
    quiesce_waits_ = false;
    answers.resumed = false;
    resuming_ = true;
    encoder_.set_epoch(epoch);
    request.u32(wire::tag::epoch, epoch);
    send_control(wire::frame_type::resume, request);
    for (const auto& [id, stream] : streams_) {
        stream->credit = wire::initial_credit;
        stream->granted = {wire::initial_credit, wire::initial_credit};
        stream->used_up = {};
    }
}

VMDSL_DECL saved_streams agent_protocol::save() const {
    saved_streams saved{last_boot_id_, next_id_, {}};
    std::map<std::uint32_t, agent_stream_ptr> kept = streams_;
    kept.insert(restored_.begin(), restored_.end());
    for (const auto& ended : ended_) {
        if (auto stream = ended.lock()) {
            kept.emplace(stream->id, std::move(stream));
        }
    }
    for (const auto& [id, stream] : kept) {
        if (stream->collects && !stream->held_open) {
            saved.streams.push_back({id, stream->collected, stream->too_much, stream->end});
        }
    }
    return saved;
}

VMDSL_DECL void agent_protocol::restore(const saved_streams& saved) {
    last_boot_id_ = saved.boot_id;
    next_id_ = saved.next_id;
    for (const auto& each : saved.streams) {
        auto stream = std::make_shared<agent_stream_state>();
        stream->id = each.id;
        stream->opened = true;
        stream->collected = each.collected;
        stream->too_much = each.too_much;
        stream->end = each.end;
        stream->over = each.end.has_value();
        restored_.emplace(each.id, stream);
        if (!stream->over) {
            streams_.emplace(each.id, stream);
        }
    }
}

VMDSL_DECL agent_stream_ptr agent_protocol::attach(std::uint32_t id) {
    auto& known = restored_[id];
    if (!known) {
        known = std::make_shared<agent_stream_state>();
        known->id = id;
        known->over = true;
        known->end = failed_end(ESRCH, ended_before_checkpoint);
    }
    return known;
}

}  // namespace vmdsl::detail
