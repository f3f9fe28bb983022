// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/guest/frame_codec.hpp>
#include <vmdsl/guest/saved_streams.hpp>
#include <vmdsl/guest/send_buffer.hpp>
#include <vmdsl/guest/stream_sink.hpp>
#include <vmdsl/guest/wire.hpp>

namespace vmdsl::detail {

/// One stream, as the host sees it.
struct agent_stream_state {
    std::uint32_t id = 0;
    stream_sink sink;      ///< Used by `perform` only.
    bool collects = true;  ///< Without a sink for its data.

    // To the agent.
    send_buffer pending;                          ///< Written, and not yet made into frames.
    std::uint64_t credit = wire::initial_credit;  ///< What the agent takes.
    bool end_wanted = false;
    bool end_sent = false;
    bool close_sent = false;
    bool in_line = false;                      ///< It waits for its turn to send.
    std::optional<payload_builder> held_open;  ///< It was asked for during a restart: the next agent is told.

    // From the agent.
    std::array<std::string, 2> collected;
    std::array<std::uint64_t, 2> granted{wire::initial_credit, wire::initial_credit};  ///< What it may still send.
    std::array<std::uint64_t, 2> used_up{};  ///< Used up here, and not granted again yet.
    bool opened = false;
    bool too_much = false;
    std::optional<stream_end> end;

    bool over = false;  ///< Nothing comes or goes any more: it has ended, or its agent is gone.
};

using agent_stream_ptr = std::shared_ptr<agent_stream_state>;

/// A call of a stream's sink that a frame has brought about.
struct sink_call {
    enum class kind : std::uint8_t { data, end_of_data, writable, closed };

    agent_stream_ptr stream;
    kind what = kind::data;
    wire::channel channel = wire::channel::main;
    std::string_view bytes;  ///< Of `data`; they lie in the decoder's buffer.
};

/// Makes the call. Not under the lock of the protocol that asked for it, since sinks use their streams.
VMDSL_DECL void perform(const sink_call& call);

/// What the agent has answered. Whoever waits for an answer resets it first.
struct agent_answers {
    std::optional<std::string> boot_id;     ///< Of a hello that nobody has taken yet.
    std::optional<std::string> configured;  ///< What did not work.
    bool quiesced = false;
    bool resumed = false;
};

/// The host's half of the conversation with one guest agent: frames in, bytes out. Sans-I/O, not thread-safe.
///
/// The guest is not trusted. What is kept for it is bounded whatever it sends and whether or not it reads: output
/// only up to `max_collected_output` a channel, and bytes to send only when they are asked for (`take_output`). Credit
/// in particular is a number until then, and what is not granted the guest must not send.
class agent_protocol {
public:
    /// Credit is handed back in pieces of this many bytes, so that small frames are not answered by as many.
    static constexpr std::size_t credit_piece = wire::initial_credit / 2;
    /// About how many bytes of data `take_output` returns at once.
    static constexpr std::size_t output_batch = std::size_t{256} * 1024;

    /// Takes what the decoder found, and appends the calls of sinks that follow. Nothing more may be given once
    /// `breach` says something.
    VMDSL_DECL void take(const decoded& found, std::vector<sink_call>& calls);
    /// How the agent has broken the protocol, or which breach it has reported.
    [[nodiscard]] const std::optional<std::string>& breach() const noexcept { return breach_; }

    /// Whether `take_output` has anything.
    [[nodiscard]] bool has_output() const noexcept {
        return held_at_ ? *held_at_ > 0 : !control_.empty() || !line_.empty();
    }
    /// Appends what is to be sent next: what was asked for, then credit and data, each stream in its turn. Whole frames
    /// only.
    VMDSL_DECL void take_output(std::vector<std::byte>& to, std::vector<sink_call>& calls);

    /// Opens a stream. During a restart it waits for the next agent. Throws `usage_error` where the request is too
    /// long.
    [[nodiscard]] VMDSL_DECL agent_stream_ptr open(wire::stream_kind kind, payload_builder request, stream_sink sink);
    VMDSL_DECL void write(const agent_stream_ptr& stream, std::string bytes);
    VMDSL_DECL void end_of_data(const agent_stream_ptr& stream);
    /// So many bytes that a sink was given are used up.
    VMDSL_DECL void grant(const agent_stream_ptr& stream, wire::channel channel, std::size_t bytes);
    /// May overtake data that waits for credit.
    VMDSL_DECL void send_signal(const agent_stream_ptr& stream, int number, signal_target to);
    /// A terminal's new size.
    VMDSL_DECL void resize(const agent_stream_ptr& stream, terminal_size size);
    VMDSL_DECL void close(const agent_stream_ptr& stream, std::vector<sink_call>& calls);
    VMDSL_DECL void send_control(wire::frame_type type, const payload_builder& payload = {});

    /// Asks the agent to fall silent. So does this side, until `resume`: no frame is cut when the machine is saved.
    /// During a restart it is the next agent that is asked.
    VMDSL_DECL void quiesce();
    /// The guest is about to boot again, or its agent is gone: nothing that was meant for it is sent any more, and its
    /// streams end. What it still sends is ignored, until a hello.
    VMDSL_DECL void expect_restart(std::vector<sink_call>& calls);
    /// The agent is gone, and no new one has said hello yet.
    [[nodiscard]] bool restarting() const noexcept { return restarting_; }
    /// Ends every stream without another word.
    VMDSL_DECL void abandon(std::vector<sink_call>& calls);

    /// Goes on with a machine that was saved, in another epoch. `request` is the rest of the resume frame. Streams of
    /// the guest that were not restored here are closed.
    VMDSL_DECL void resume(std::uint32_t epoch, bool quiesced, payload_builder request);
    /// What the clones of this machine go on from.
    [[nodiscard]] VMDSL_DECL saved_streams save() const;
    /// Before anything else, and before `resume`: takes over what was saved with the machine.
    VMDSL_DECL void restore(const saved_streams& saved);
    /// A stream that was there when the machine was saved. An unknown one has ended.
    [[nodiscard]] VMDSL_DECL agent_stream_ptr attach(std::uint32_t id);

    agent_answers answers;

private:
    VMDSL_DECL void take_control(const wire::header& header, std::span<const std::byte> payload,
                                 std::vector<sink_call>& calls);
    VMDSL_DECL void take_hello(const wire::header& header, std::span<const std::byte> payload,
                               std::vector<sink_call>& calls);
    VMDSL_DECL void take_stream(const agent_stream_ptr& stream, const wire::header& header,
                                std::span<const std::byte> payload, std::vector<sink_call>& calls);
    VMDSL_DECL void take_data(const agent_stream_ptr& stream, wire::channel channel, std::span<const std::byte> payload,
                              std::vector<sink_call>& calls);
    VMDSL_DECL void take_credit(const agent_stream_ptr& stream, std::uint64_t bytes);
    VMDSL_DECL void take_end(const agent_stream_ptr& stream, wire::frame_type type, std::span<const std::byte> payload,
                             std::vector<sink_call>& calls);
    VMDSL_DECL void collect(const agent_stream_ptr& stream, wire::channel channel, std::span<const std::byte> payload);
    VMDSL_DECL void finish(const agent_stream_ptr& stream, stream_end end, std::vector<sink_call>& calls);
    VMDSL_DECL void take_resumed(std::span<const std::byte> payload, std::vector<sink_call>& calls);
    /// Nothing that was asked for is sent any more, and nothing is held. Where no stream is left that could send.
    VMDSL_DECL void drop_output();
    VMDSL_DECL void get_in_line(const agent_stream_ptr& stream);
    VMDSL_DECL void send_credit(agent_stream_state& stream, std::vector<std::byte>& to);
    VMDSL_DECL void send_data(const agent_stream_ptr& stream, std::vector<std::byte>& to,
                              std::vector<sink_call>& calls);
    VMDSL_DECL void send_close(agent_stream_state& stream);

    frame_encoder encoder_;
    std::vector<std::byte> control_;                        // frames that were asked for, not taken yet
    std::deque<agent_stream_ptr> line_;                     // those with credit or data to send
    std::map<std::uint32_t, agent_stream_ptr> streams_;     // open
    std::map<std::uint32_t, agent_stream_ptr> restored_;    // from the checkpoint, ended or not, for whoever asks
    std::vector<std::weak_ptr<agent_stream_state>> ended_;  // somebody may still hold them
    std::uint32_t next_id_ = 1;
    std::string last_boot_id_;
    std::optional<std::size_t> held_at_;  // in control_: nothing from there on is sent
    bool quiesce_waits_ = false;          // for the hello of the next agent
    bool restarting_ = false;
    bool resuming_ = false;
    std::optional<std::string> breach_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/agent_protocol.ipp>
#endif
