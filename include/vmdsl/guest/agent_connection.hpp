// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/frame_codec.hpp>
#include <vmdsl/guest/stream_sink.hpp>
#include <vmdsl/process/io_loop.hpp>

/// What agent_client and agent_stream share: the connection and its streams. Internal: includes Asio, so only bodies
/// include it.

namespace vmdsl {

namespace detail {

inline std::span<const std::byte> agent_bytes(std::string_view text) {
    return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

inline std::string_view agent_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

struct agent_connection;

/// One direction's flow and what has come: all under the connection's mutex but the sink, which is the I/O thread's.
struct agent_stream_state {
    struct direction {
        std::string pending;  // written, but beyond the agent's credit
        std::uint64_t credit = wire::initial_credit;
        bool end_wanted = false;
        bool end_sent = false;
    };

    std::shared_ptr<agent_connection> connection;
    std::uint32_t id = 0;
    stream_sink sink;
    direction outgoing;
    std::array<std::string, 2> collected;
    std::array<std::uint64_t, 2> granted{wire::initial_credit, wire::initial_credit};  // that the agent may still use
    bool opened = false;
    bool too_much = false;
    std::optional<stream_end> end;
};

struct agent_connection : std::enable_shared_from_this<agent_connection> {
    explicit agent_connection(boost::asio::io_context& context) : socket(context) {}

    using stream_ptr = std::shared_ptr<agent_stream_state>;

    // The I/O thread's.
    boost::asio::local::stream_protocol::socket socket;
    frame_decoder decoder;
    std::vector<std::byte> sending;
    bool write_under_way = false;
    std::function<void(std::string)> on_lost;

    // Shared, under the mutex.
    std::mutex mutex;
    std::condition_variable changed;
    frame_encoder encoder;
    std::vector<std::byte> outgoing;
    std::map<std::uint32_t, stream_ptr> streams;
    std::map<std::uint32_t, stream_ptr> attached;  // taken part in again; kept for whoever asks for them, ended or not
    std::uint32_t next_stream = 1;
    std::optional<error_details> lost;
    std::optional<std::string> boot_id;  // of the hello that nobody has taken yet
    std::string last_boot_id;
    std::optional<std::string> configured;
    bool quiesced = false;
    bool resumed = false;
    bool restarting = false;

    void read() {
        const auto room = decoder.prepare();
        socket.async_read_some(boost::asio::buffer(room.data(), room.size()),
                               [self = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                                   if (ec) {
                                       return;  // QEMU is gone; its exit says why
                                   }
                                   self->decoder.commit(n);
                                   if (self->decode()) {
                                       self->read();
                                   }
                               });
    }

    /// False where the agent broke the protocol.
    bool decode() {
        for (;;) {
            const auto found = decoder.next();
            if (found.status == decode_status::need_more) {
                return true;
            }
            if (found.status == decode_status::junk) {
                const std::lock_guard lock(mutex);
                if (!restarting) {
                    report_lost("its agent sent bytes that are no frame");
                    return false;
                }
                continue;  // the rest of a frame that a reboot cut
            }
            if (!take(found.header, found.payload)) {
                return false;
            }
        }
    }

    /// Called with the mutex held.
    void report_lost(std::string reason) {
        if (!lost && on_lost) {
            io_loop::instance().post([self = shared_from_this(), reason = std::move(reason)] {
                if (self->on_lost) {
                    self->on_lost(reason);
                }
            });
        }
    }

    bool take(const wire::header& header, std::span<const std::byte> payload) {
        if (header.stream == 0) {
            take_control(header, payload);
            return true;
        }
        stream_ptr stream;
        {
            const std::lock_guard lock(mutex);
            const auto found = header.epoch == encoder.epoch() ? streams.find(header.stream) : streams.end();
            if (found == streams.end()) {
                return true;  // closed by us, or a left-over
            }
            stream = found->second;
        }
        return take_stream(stream, header, payload);
    }

    void take_control(const wire::header& header, std::span<const std::byte> payload) {
        {
            const std::lock_guard lock(mutex);
            switch (header.type) {
                case wire::frame_type::hello: {
                    const auto version = wire::find_field(payload, wire::tag::version).number();
                    if (version != wire::protocol_version) {
                        report_lost("its agent speaks version " + std::to_string(version) + " of the protocol, not " +
                                    std::to_string(wire::protocol_version));
                        return;
                    }
                    const std::string id(wire::find_field(payload, wire::tag::boot_id).text());
                    if (id == last_boot_id) {
                        return;  // the same agent, greeting a connection again
                    }
                    last_boot_id = id;
                    boot_id = id;
                    restarting = false;
                    encoder.set_epoch(header.epoch);
                    break;
                }
                case wire::frame_type::configured:
                    configured = collect_errors(payload);
                    break;
                case wire::frame_type::quiesced:
                    quiesced = true;
                    break;
                case wire::frame_type::resumed:
                    resumed = header.epoch == encoder.epoch();
                    if (resumed) {
                        end_streams_not_in(payload);
                    }
                    break;
                case wire::frame_type::protocol_error:
                    report_lost("its agent did not understand the host: " +
                                std::string(wire::find_field(payload, wire::tag::error_text).text()));
                    break;
                default:
                    break;
            }
        }
        changed.notify_all();
    }

    /// After a restore: what was attached to, but had ended before the checkpoint, will never answer. With the mutex
    /// held.
    void end_streams_not_in(std::span<const std::byte> payload) {
        std::vector<std::uint32_t> alive;
        wire::field field;
        while (wire::next_field(payload, field)) {
            if (field.tag == wire::tag::stream_id) {
                alive.push_back(static_cast<std::uint32_t>(field.number()));
            }
        }
        std::erase_if(streams, [&](const auto& entry) {
            if (std::find(alive.begin(), alive.end(), entry.first) != alive.end()) {
                return false;
            }
            stream_end end;
            end.failed = true;
            end.error_number = ESRCH;
            end.error_text = "it had ended before the checkpoint was saved";
            entry.second->end = std::move(end);
            return true;
        });
    }

    [[nodiscard]] static std::string collect_errors(std::span<const std::byte> payload) {
        std::string errors;
        wire::field field;
        while (wire::next_field(payload, field)) {
            if (field.tag == wire::tag::error_text) {
                errors += (errors.empty() ? "" : "; ") + std::string(field.text());
            }
        }
        return errors;
    }

    bool take_stream(const stream_ptr& stream, const wire::header& header, std::span<const std::byte> payload) {
        const auto channel = header.channel == wire::channel::errors ? wire::channel::errors : wire::channel::main;
        switch (header.type) {
            case wire::frame_type::opened: {
                const std::lock_guard lock(mutex);
                stream->opened = true;
                break;
            }
            case wire::frame_type::data:
                return take_data(stream, channel, payload);
            case wire::frame_type::end:
                if (stream->sink.on_end_of_data) {
                    stream->sink.on_end_of_data(channel);
                }
                return true;
            case wire::frame_type::credit: {
                bool writable = false;
                {
                    const std::lock_guard lock(mutex);
                    stream->outgoing.credit += wire::find_field(payload, wire::tag::bytes).number();
                    send_pending(*stream);
                    writable = stream->outgoing.pending.empty();
                }
                if (writable && stream->sink.on_writable) {
                    stream->sink.on_writable();
                }
                return true;
            }
            case wire::frame_type::exit:
            case wire::frame_type::failed:
                finish(stream, header.type == wire::frame_type::failed, payload);
                return true;
            default:
                return true;
        }
        changed.notify_all();
        return true;
    }

    bool take_data(const stream_ptr& stream, wire::channel channel, std::span<const std::byte> payload) {
        const auto index = static_cast<std::size_t>(channel);
        {
            const std::lock_guard lock(mutex);
            if (payload.size() > stream->granted[index]) {
                report_lost("its agent sent more than it was allowed to");
                return false;
            }
            stream->granted[index] -= payload.size();
            if (!stream->sink.on_data) {
                collect(*stream, index, payload);
            }
        }
        if (stream->sink.on_data) {
            stream->sink.on_data(channel, agent_text(payload));
        } else {
            changed.notify_all();
        }
        return true;
    }

    void collect(agent_stream_state& stream, std::size_t index, std::span<const std::byte> payload) {
        if (stream.collected[index].size() + payload.size() > max_collected_output) {
            if (!std::exchange(stream.too_much, true)) {
                encoder.frame(outgoing, wire::frame_type::close, stream.id);
                flush();
            }
            return;
        }
        stream.collected[index] += agent_text(payload);
        grant(stream, static_cast<wire::channel>(index), payload.size());
    }

    void finish(const stream_ptr& stream, bool failed, std::span<const std::byte> payload) {
        {
            const std::lock_guard lock(mutex);
            stream_end end;
            end.failed = failed;
            end.error_number = static_cast<std::uint32_t>(wire::find_field(payload, wire::tag::error_number).number());
            end.error_text = std::string(wire::find_field(payload, wire::tag::error_text).text());
            end.exit_code = static_cast<int>(wire::find_field(payload, wire::tag::exit_code).number());
            end.signal = static_cast<int>(wire::find_field(payload, wire::tag::signal_number).number());
            end.lingering = wire::has_field(payload, wire::tag::lingering);
            end.duration = std::chrono::nanoseconds(static_cast<std::int64_t>(
                wire::find_field(payload, wire::tag::nanoseconds).number() & 0x7fffffffffffffffULL));
            end.size = wire::find_field(payload, wire::tag::size).number();
            end.mode = static_cast<std::uint32_t>(wire::find_field(payload, wire::tag::mode).number());
            if (stream->too_much) {
                end.failed = true;
                end.error_number = EFBIG;
                end.error_text = "it sent more than " + std::to_string(max_collected_output >> 20) + " MiB";
            }
            stream->end = std::move(end);
            streams.erase(stream->id);
        }
        changed.notify_all();
        close_sink(*stream);
    }

    /// The last call of a sink. It may own what it is called on, which owns the stream: so it is let go of.
    static void close_sink(agent_stream_state& stream) {
        const auto sink = std::exchange(stream.sink, {});
        if (sink.on_closed) {
            sink.on_closed();
        }
    }

    // With the mutex held from here on.

    void grant(agent_stream_state& stream, wire::channel channel, std::size_t bytes) {
        stream.granted[static_cast<std::size_t>(channel)] += bytes;
        payload_builder payload;
        payload.u64(wire::tag::bytes, bytes);
        encoder.frame(outgoing, wire::frame_type::credit, stream.id, payload, channel);
        flush();
    }

    void send_pending(agent_stream_state& stream) {
        auto& to = stream.outgoing;
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(to.credit, to.pending.size()));
        if (n > 0) {
            encoder.data(outgoing, stream.id, agent_bytes(to.pending).first(n));
            to.pending.erase(0, n);
            to.credit -= n;
        }
        if (to.pending.empty() && to.end_wanted && !std::exchange(to.end_sent, true)) {
            encoder.frame(outgoing, wire::frame_type::end, stream.id);
        }
        flush();
    }

    void flush() {
        if (!outgoing.empty()) {
            io_loop::instance().post([self = shared_from_this()] { self->write(); });
        }
    }

    // The I/O thread.
    void write() {
        if (write_under_way) {
            return;
        }
        {
            const std::lock_guard lock(mutex);
            if (outgoing.empty()) {
                return;
            }
            sending.clear();
            std::swap(sending, outgoing);
        }
        write_under_way = true;
        boost::asio::async_write(socket, boost::asio::buffer(sending),
                                 [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                                     self->write_under_way = false;
                                     if (!ec) {
                                         self->write();
                                     }
                                 });
    }

    [[nodiscard]] stream_ptr open(wire::stream_kind kind, payload_builder payload, stream_sink sink) {
        auto stream = std::make_shared<agent_stream_state>();
        stream->connection = shared_from_this();
        stream->sink = std::move(sink);
        const std::lock_guard lock(mutex);
        if (lost) {
            throw machine_died(*lost);
        }
        stream->id = next_stream;
        payload.u32(wire::tag::kind, static_cast<std::uint32_t>(kind));
        encoder.frame(outgoing, wire::frame_type::open, stream->id, payload);
        ++next_stream;
        streams.emplace(stream->id, stream);
        flush();
        return stream;
    }

    /// Waits, with the mutex held, until `done` or the deadline. False where the deadline passed first.
    template <class Predicate>
    bool wait(std::unique_lock<std::mutex>& lock, deadline until, Predicate done) {
        changed.wait_until(lock, until.moment(), [&] { return lost.has_value() || done(); });
        if (done()) {
            return true;
        }
        if (lost) {
            throw machine_died(*lost);
        }
        return false;
    }

    void send_control(wire::frame_type type, const payload_builder& payload = {}) {
        if (lost) {
            throw machine_died(*lost);
        }
        encoder.frame(outgoing, type, 0, payload);
        flush();
    }
};

}  // namespace detail

}  // namespace vmdsl
