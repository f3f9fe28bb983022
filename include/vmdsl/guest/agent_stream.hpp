// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/guest/stream_sink.hpp>
#include <vmdsl/guest/wire.hpp>

namespace vmdsl {

class agent_client;

namespace detail {
struct agent_connection;
struct agent_stream_state;
}  // namespace detail

/// One stream: a command, a file on its way, a connection. Made by `agent_client`; thread-safe.
class agent_stream {
public:
    /// How much output is collected per channel, in bytes. A stream that sends more is closed.
    static constexpr std::size_t max_collected = detail::max_collected_output;

    VMDSL_DECL ~agent_stream();
    agent_stream(const agent_stream&) = delete;
    agent_stream& operator=(const agent_stream&) = delete;

    [[nodiscard]] std::uint32_t id() const noexcept { return id_; }

    /// Sends bytes (a command's standard input, a file's content). Returns at once; what exceeds the agent's credit
    /// waits in memory.
    VMDSL_DECL void write(std::string bytes);
    /// Whether bytes that were written still wait for the agent's credit, or for their turn.
    [[nodiscard]] VMDSL_DECL bool has_unsent() const;
    /// Says that nothing more will be written.
    VMDSL_DECL void end_of_data();
    /// Sends a signal to a command. Nothing where it has ended.
    VMDSL_DECL void send_signal(int number, signal_target to);
    /// Gives a terminal another size. Nothing where it has ended.
    VMDSL_DECL void resize(terminal_size size);
    /// Ends it: a command's whole tree is killed.
    VMDSL_DECL void close();
    /// Lets the agent send so many bytes more. Only for sinks with `on_data`.
    VMDSL_DECL void grant(wire::channel channel, std::size_t bytes);

    /// Waits until the agent says that it is open (or has ended). False where the deadline passed first. Throws
    /// `machine_died` where the agent was lost.
    [[nodiscard]] VMDSL_DECL bool wait_opened(deadline until);
    /// Whether the agent has said that it is open, whatever became of it.
    [[nodiscard]] VMDSL_DECL bool opened() const;
    /// Waits for the end. Empty where the deadline passed first. Throws `machine_died` where the agent was lost.
    [[nodiscard]] VMDSL_DECL std::optional<stream_end> wait(deadline until);

    /// What was collected so far.
    [[nodiscard]] VMDSL_DECL std::string collected(wire::channel channel) const;
    /// The same, given away: later calls see nothing of it.
    [[nodiscard]] VMDSL_DECL std::string take_collected(wire::channel channel);

private:
    friend class agent_client;
    VMDSL_DECL agent_stream(std::shared_ptr<detail::agent_connection> c, std::shared_ptr<detail::agent_stream_state> s);

    std::shared_ptr<detail::agent_connection> connection_;
    std::shared_ptr<detail::agent_stream_state> state_;
    std::uint32_t id_;
};

/// A stream that is closed where its scope ends, whatever ends that. Nothing where it has ended by itself.
class scoped_stream {
public:
    explicit scoped_stream(std::shared_ptr<agent_stream> stream) : stream_(std::move(stream)) {}
    ~scoped_stream() { stream_->close(); }
    scoped_stream(const scoped_stream&) = delete;
    scoped_stream& operator=(const scoped_stream&) = delete;

    [[nodiscard]] agent_stream& operator*() const noexcept { return *stream_; }
    [[nodiscard]] agent_stream* operator->() const noexcept { return stream_.get(); }

private:
    std::shared_ptr<agent_stream> stream_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/agent_stream.ipp>
#endif
