// SPDX-License-Identifier: BSL-1.0
#include <errno.h>

#include <agent/session.hpp>
#include <agent/stream.hpp>

namespace vmdsl::agent {

namespace {

/// Credit is handed back in pieces: a frame for each small write would cost more than the data.
constexpr std::size_t credit_piece = wire::initial_credit / 4;

constexpr std::size_t index_of(wire::channel channel) noexcept {
    return channel == wire::channel::main ? 0 : 1;
}

}  // namespace

void stream::take_data(wire::channel channel, std::span<const std::byte> bytes) {
    if (channel != wire::channel::main || input_ended_) {
        session_.protocol_error({"data where none can be taken, on stream ", digits{id_}});
        return;
    }
    if (bytes.size() > window_) {
        session_.protocol_error({"more data than credit, on stream ", digits{id_}});
        on_close();
        return;
    }
    window_ -= bytes.size();
    buffered_ += bytes.size();
    on_data(bytes);
}

void stream::take_end(wire::channel channel) {
    if (channel != wire::channel::main) {
        session_.protocol_error({"end of a channel that takes no data, on stream ", digits{id_}});
        return;
    }
    if (!input_ended_) {
        input_ended_ = true;
        on_end();
    }
}

void stream::take_credit(wire::channel channel, std::uint64_t bytes) {
    auto& credit = credit_[index_of(channel)];
    // Saturates: no sum of what a host says may wrap around.
    credit = bytes > UINT64_MAX - credit ? UINT64_MAX : credit + bytes;
    need_step();
}

void stream::restart_credit() {
    credit_ = {wire::initial_credit, wire::initial_credit};
    window_ = wire::initial_credit;
    unreported_ = 0;
    forgiven_ = buffered_;
    need_step();
}

void stream::charge(wire::channel channel, std::size_t bytes) {
    auto& credit = credit_[index_of(channel)];
    credit -= bytes < credit ? bytes : credit;
}

void stream::need_step() {
    session_.make_ready(*this);
}

void stream::opened(const fields& payload) {
    session_.link().send(wire::frame_type::opened, id_, payload);
}

std::size_t stream::credit(wire::channel channel) const noexcept {
    const auto credit = credit_[index_of(channel)];
    return credit < wire::max_payload ? static_cast<std::size_t>(credit) : wire::max_payload;
}

void stream::send_data(wire::channel channel, std::span<const std::byte> bytes) {
    credit_[index_of(channel)] -= bytes.size();
    session_.link().send(wire::frame_type::data, id_, bytes, channel);
}

void stream::send_end(wire::channel channel) {
    session_.link().send(wire::frame_type::end, id_, {}, channel);
}

void stream::consumed(std::size_t bytes) {
    buffered_ -= bytes;
    const std::size_t free_of_charge = bytes < forgiven_ ? bytes : forgiven_;
    forgiven_ -= free_of_charge;
    unreported_ += bytes - free_of_charge;
    if (unreported_ >= credit_piece && !input_ended_ && !finished_) {
        fields payload;
        payload.put64(wire::tag::bytes, unreported_);
        window_ += unreported_;
        unreported_ = 0;
        session_.link().send(wire::frame_type::credit, id_, payload);
    }
}

void stream::finish(const fields& exit_payload) {
    finished_ = true;
    session_.link().send(wire::frame_type::exit, id_, exit_payload);
}

void stream::fail(int error, std::string_view what) {
    finished_ = true;
    fields payload;
    payload.put32(wire::tag::error_number, static_cast<std::uint32_t>(error));
    payload.put(wire::tag::error_text, join({what, ": ", error_text(error)}));
    session_.link().send(wire::frame_type::failed, id_, payload);
}

}  // namespace vmdsl::agent
