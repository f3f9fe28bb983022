// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <vmdsl/guest/wire.hpp>

#include <agent/event_loop.hpp>
#include <agent/fd.hpp>
#include <agent/fields.hpp>
#include <agent/frame_queue.hpp>
#include <agent/frame_reader.hpp>

namespace vmdsl::agent {

/// Takes what the host sends.
class host_listener {
public:
    virtual void on_connected() = 0;
    virtual void on_frame(const wire::header& header, std::span<const std::byte> payload) = 0;
    /// Bytes came that are no frame, after a frame of this epoch: before one they may be left over from what the host
    /// had sent to another agent.
    virtual void on_junk() = 0;

protected:
    ~host_listener() = default;
};

/// The connection to the host: a virtio-serial port, or a socket in tests.
class host_link final : public event_source {
public:
    /// A port outlives its host and waits for the next one, a socket ends with it.
    enum class kind : std::uint8_t { port, socket };

    /// `epoch` is that of its frames until a `resume`.
    host_link(event_loop& loop, unique_fd fd, kind what, std::uint32_t epoch, host_listener& listener);
    ~host_link();

    void send(wire::frame_type type, std::uint32_t stream, std::span<const std::byte> payload,
              wire::channel channel = wire::channel::main);
    void send(wire::frame_type type, std::uint32_t stream, const fields& payload) {
        send(type, stream, payload.view());
    }

    /// In front of everything. Only while nothing of the frame in front has been written: when a host has connected.
    void send_first(wire::frame_type type, const fields& payload);

    /// Whether a stream may add output now: little enough is queued, and the link is not held.
    [[nodiscard]] bool takes_output() const noexcept { return !queue_.holding() && queue_.bytes() < output_limit; }

    /// Sends what is queued and `quiesced`, then nothing until `resume`.
    void quiesce();
    /// Goes on in another epoch, with `resumed` in front of everything. Calls `again(stream, channel, bytes)` for the
    /// data that had been queued, and is sent in the new epoch now.
    template <class Function>
    void resume(std::uint32_t epoch, const fields& resumed, Function&& again) {
        epoch_ = epoch;
        queue_.restart(epoch);
        queue_.for_each_data(again);
        send_first(wire::frame_type::resumed, resumed);
    }
    [[nodiscard]] bool holding() const noexcept { return queue_.holding(); }
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }

    /// Reads and writes as far as it goes without waiting. True where it should be called again without waiting.
    bool pump();
    /// The host is gone for good.
    [[nodiscard]] bool ended() const noexcept { return ended_; }

    void on_events(std::uint32_t events) override;

private:
    static constexpr std::size_t output_limit = std::size_t{256} * 1024;
    static constexpr std::size_t largest_backlog = std::size_t{1024} * 1024;

    void receive();
    void take_frames();
    void flush();
    void lose_host();

    event_loop& loop_;
    unique_fd fd_;
    kind kind_;
    host_listener& listener_;
    frame_reader reader_;
    frame_queue queue_;
    std::uint32_t epoch_;
    bool connected_ = false;
    bool understood_ = false;  ///< A frame of this epoch has come since the host connected.
    bool readable_ = false;
    bool writable_ = false;
    bool ended_ = false;
};

}  // namespace vmdsl::agent
