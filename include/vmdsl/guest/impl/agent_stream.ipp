// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mutex>
#include <utility>

#include <vmdsl/guest/agent_connection.hpp>
#include <vmdsl/guest/agent_stream.hpp>

namespace vmdsl {

VMDSL_DECL std::shared_ptr<agent_stream> agent_stream::wrap(std::shared_ptr<detail::agent_stream_state> s) {
    const auto id = s->id;
    return std::shared_ptr<agent_stream>(new agent_stream(std::move(s), id));
}

VMDSL_DECL agent_stream::~agent_stream() = default;

VMDSL_DECL void agent_stream::write(std::string bytes) {
    const std::lock_guard lock(state_->connection->mutex);
    state_->outgoing.pending += bytes;
    state_->connection->send_pending(*state_);
}

VMDSL_DECL bool agent_stream::has_unsent() const {
    const std::lock_guard lock(state_->connection->mutex);
    return !state_->outgoing.pending.empty();
}

VMDSL_DECL void agent_stream::end_of_data() {
    const std::lock_guard lock(state_->connection->mutex);
    state_->outgoing.end_wanted = true;
    state_->connection->send_pending(*state_);
}

VMDSL_DECL void agent_stream::send_signal(int number, bool whole_tree) {
    payload_builder payload;
    payload.u32(wire::tag::signal_number, static_cast<std::uint32_t>(number));
    if (whole_tree) {
        payload.flag(wire::tag::whole_tree);
    }
    auto& c = *state_->connection;
    const std::lock_guard lock(c.mutex);
    c.encoder.frame(c.outgoing, wire::frame_type::signal, id_, payload);
    c.flush();
}

VMDSL_DECL void agent_stream::close() {
    auto& c = *state_->connection;
    const std::lock_guard lock(c.mutex);
    if (!state_->end) {
        c.encoder.frame(c.outgoing, wire::frame_type::close, id_);
        c.flush();
    }
}

VMDSL_DECL void agent_stream::grant(wire::channel channel, std::size_t bytes) {
    const std::lock_guard lock(state_->connection->mutex);
    state_->connection->grant(*state_, channel, bytes);
}

VMDSL_DECL bool agent_stream::wait_opened(deadline until) {
    std::unique_lock lock(state_->connection->mutex);
    return state_->connection->wait(lock, until, [&] { return state_->opened || state_->end.has_value(); });
}

VMDSL_DECL std::optional<stream_end> agent_stream::wait(deadline until) {
    std::unique_lock lock(state_->connection->mutex);
    state_->connection->wait(lock, until, [&] { return state_->end.has_value(); });
    return state_->end;
}

VMDSL_DECL std::string agent_stream::collected(wire::channel channel) const {
    const std::lock_guard lock(state_->connection->mutex);
    return state_->collected[static_cast<std::size_t>(channel)];
}

VMDSL_DECL std::string agent_stream::take_collected(wire::channel channel) {
    const std::lock_guard lock(state_->connection->mutex);
    return std::exchange(state_->collected[static_cast<std::size_t>(channel)], {});
}

}  // namespace vmdsl
