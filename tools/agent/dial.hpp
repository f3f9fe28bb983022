// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <sys/socket.h>

#include <agent/byte_queue.hpp>
#include <agent/pacer.hpp>
#include <agent/stream.hpp>
#include <agent/watched_fd.hpp>

namespace vmdsl::agent {

/// A connection from inside the guest: TCP, a unix socket, or UDP with one datagram per frame.
///
/// TCP and unix end when both directions have, UDP when the host closes it.
class dialled_stream final : public stream, public fd_owner {
public:
    dialled_stream(session& owner, std::uint32_t id) noexcept;

    void open(std::span<const std::byte> payload) override;
    void on_data(std::span<const std::byte> bytes) override;
    void on_end() override;
    step_result step() override;
    void on_fd_ready() override { need_step(); }

private:
    [[nodiscard]] bool parse(std::span<const std::byte> payload, sockaddr_storage& address, socklen_t& size);
    void check_connected();
    void send_out();
    step_result receive();

    watched_fd socket_;
    byte_queue bytes_;
    pacer pacer_;
    text name_;  ///< What was dialled, for messages.
    bool datagrams_ = false;
    bool connected_ = false;
    bool out_ending_ = false;
    bool out_done_ = false;
    bool in_done_ = false;
};

}  // namespace vmdsl::agent
