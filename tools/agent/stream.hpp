// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <vmdsl/guest/wire.hpp>

#include <agent/fields.hpp>

namespace vmdsl::agent {

class session;

/// What a stream's piece of work has come to.
enum class step_result : std::uint8_t {
    idle,   ///< Nothing to do until something happens.
    busy,   ///< There is more to do at once.
    later,  ///< There will be in a millisecond.
};

/// One of the things that the host has opened: its credit, and its last words. What it does is up to the derived class.
///
/// Work that produces output is done in `step`, which the session calls when the stream asked for it (`need_step`), the
/// link takes output and no checkpoint is being made. Once `finished` the session deletes the stream.
class stream {
public:
    stream(session& owner, std::uint32_t id) noexcept : session_(owner), id_(id) {}
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;
    virtual ~stream() = default;

    /// What the host asked for. May finish the stream at once.
    virtual void open(std::span<const std::byte> payload) = 0;
    /// Bytes for the agent's side. The credit was checked; `consumed` gives it back.
    virtual void on_data(std::span<const std::byte> bytes) { consumed(bytes.size()); }
    /// The host sends no more data.
    virtual void on_end() {}
    virtual void on_signal(int /*number*/, bool /*whole_tree*/) {}
    /// The host's terminal has another size now.
    virtual void on_resize(std::span<const std::byte> /*payload*/) {}
    /// Let go of everything and finish.
    virtual void on_close() { finish({}); }
    /// Do a bounded piece of work.
    virtual step_result step() { return step_result::idle; }
    /// A child process ended. True where it was this stream's own.
    virtual bool on_child_exit(int /*pid*/, int /*status*/) { return false; }

    /// What the session calls, with the bookkeeping around the functions above.
    void take_data(wire::channel channel, std::span<const std::byte> bytes);
    void take_end(wire::channel channel);
    void take_credit(wire::channel channel, std::uint64_t bytes);
    /// Credit starts again on both sides.
    void restart_credit();
    /// So many bytes that were queued before that are sent after it.
    void charge(wire::channel channel, std::size_t bytes);

    [[nodiscard]] std::uint32_t id() const noexcept { return id_; }
    [[nodiscard]] bool finished() const noexcept { return finished_; }

    stream* next_in_table = nullptr;  ///< The session's.
    stream* next_ready = nullptr;
    bool ready = false;  ///< Whether it waits for a step.

protected:
    [[nodiscard]] session& owner() const noexcept { return session_; }

    void need_step();
    void opened(const fields& payload);
    /// How many bytes may be sent now.
    [[nodiscard]] std::size_t credit(wire::channel channel) const noexcept;
    /// At most `credit` bytes, and at most one frame's.
    void send_data(wire::channel channel, std::span<const std::byte> bytes);
    void send_end(wire::channel channel);
    /// So many of the bytes that `on_data` brought are used up; the host may send as many more.
    void consumed(std::size_t bytes);
    void finish(const fields& exit_payload);
    void fail(int error, std::string_view what);

private:
    session& session_;
    std::uint32_t id_;
    bool finished_ = false;
    bool input_ended_ = false;
    std::array<std::uint64_t, 2> credit_{wire::initial_credit, wire::initial_credit};
    std::size_t window_ = wire::initial_credit;  ///< What the host may still send.
    std::size_t unreported_ = 0;                 ///< Used up, but the host was not told yet.
    std::size_t forgiven_ = 0;                   ///< Received before the credit was restarted, and not used up yet.
    std::size_t buffered_ = 0;                   ///< Received, and not used up yet.
};

}  // namespace vmdsl::agent
