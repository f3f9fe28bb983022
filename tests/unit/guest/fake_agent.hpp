// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <future>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/agent_client.hpp>
#include <vmdsl/guest/frame_codec.hpp>

/// A client over a real socket, with an agent at its other end that does as it likes.
namespace fake {

using namespace vmdsl;
using wire::frame_type;

inline deadline soon() {
    return deadline::in(std::chrono::seconds(30));
}

struct received_frame {
    wire::header header;
    std::vector<std::byte> payload;
};

/// The guest's end of the socket. Reads only when it is told to.
class fake_agent {
public:
    explicit fake_agent(unique_fd socket) : socket_(std::move(socket)) {}

    void send(frame_type type, std::uint32_t stream = 0, const payload_builder& payload = {}) {
        std::vector<std::byte> out;
        encoder.frame(out, type, stream, payload);
        send_raw(out);
    }
    void say_hello(std::string_view boot_id, std::uint32_t epoch) {
        encoder.set_epoch(epoch);
        send(frame_type::hello, 0,
             payload_builder{}.u32(wire::tag::version, wire::protocol_version).text(wire::tag::boot_id, boot_id));
    }
    void send_raw(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            BOOST_REQUIRE(sent > 0);
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
    }

    received_frame next() {
        for (;;) {
            const auto found = decoder_.next();
            if (found.status == decode_status::frame) {
                return {found.header, {found.payload.begin(), found.payload.end()}};
            }
            BOOST_REQUIRE(found.status == decode_status::need_more);
            pollfd waiting{socket_.get(), POLLIN, 0};
            BOOST_REQUIRE_MESSAGE(::poll(&waiting, 1, 30000) == 1, "waited in vain for a frame of the host");
            const auto room = decoder_.prepare();
            const auto got = ::recv(socket_.get(), room.data(), room.size(), 0);
            BOOST_REQUIRE(got > 0);
            bytes_received += static_cast<std::size_t>(got);
            decoder_.commit(static_cast<std::size_t>(got));
        }
    }
    received_frame next(frame_type type) {
        auto frame = next();
        while (frame.header.type != type) {
            frame = next();
        }
        return frame;
    }

    frame_encoder encoder;
    std::size_t bytes_received = 0;

private:
    unique_fd socket_;
    frame_decoder decoder_;
};

struct conversation {
    conversation() {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        agent.emplace(unique_fd(ends[1]));
        client.emplace(unique_fd(ends[0]), [this](std::string reason) { lost.set_value(std::move(reason)); });
        agent->say_hello("first boot", 5);
        BOOST_REQUIRE(client->await_hello(soon()) == "first boot");
    }

    std::string reason_of_the_loss() {
        auto reason = lost.get_future();
        BOOST_REQUIRE(reason.wait_for(std::chrono::seconds(30)) == std::future_status::ready);
        return reason.get();
    }

    std::promise<std::string> lost;
    std::optional<fake_agent> agent;
    std::optional<agent_client> client;
};

}  // namespace fake
