// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <mutex>
#include <utility>

#include <vmdsl/guest/agent_connection.hpp>
#include <vmdsl/guest/agent_stream.hpp>

namespace vmdsl {

VMDSL_DECL agent_stream::agent_stream(std::shared_ptr<detail::agent_connection> c,
                                      std::shared_ptr<detail::agent_stream_state> s)
    : connection_(std::move(c)), state_(std::move(s)), id_(state_->id) {
}

VMDSL_DECL agent_stream::~agent_stream() = default;

VMDSL_DECL void agent_stream::write(std::string bytes) {
    connection_->with_protocol([&](auto& protocol, auto&) { protocol.write(state_, std::move(bytes)); });
}

VMDSL_DECL bool agent_stream::has_unsent() const {
    const std::lock_guard lock(connection_->mutex);
    return !state_->pending.empty();
}

VMDSL_DECL void agent_stream::end_of_data() {
    connection_->with_protocol([&](auto& protocol, auto&) { protocol.end_of_data(state_); });
}

VMDSL_DECL void agent_stream::send_signal(int number, signal_target to) {
    connection_->with_protocol([&](auto& protocol, auto&) { protocol.send_signal(state_, number, to); });
}

VMDSL_DECL void agent_stream::resize(terminal_size size) {
    connection_->with_protocol([&](auto& protocol, auto&) { protocol.resize(state_, size); });
}

VMDSL_DECL void agent_stream::close() {
    connection_->with_protocol([&](auto& protocol, auto& calls) { protocol.close(state_, calls); });
}

VMDSL_DECL void agent_stream::grant(wire::channel channel, std::size_t bytes) {
    connection_->with_protocol([&](auto& protocol, auto&) { protocol.grant(state_, channel, bytes); });
}

VMDSL_DECL bool agent_stream::wait_opened(deadline until) {
    std::unique_lock lock(connection_->mutex);
    return connection_->wait(lock, until, [&] { return state_->opened || state_->end.has_value(); });
}

VMDSL_DECL bool agent_stream::opened() const {
    const std::lock_guard lock(connection_->mutex);
    return state_->opened;
}

VMDSL_DECL std::optional<stream_end> agent_stream::wait(deadline until) {
    std::unique_lock lock(connection_->mutex);
    connection_->wait(lock, until, [&] { return state_->end.has_value(); });
    return state_->end;
}

VMDSL_DECL std::string agent_stream::collected(wire::channel channel) const {
    const std::lock_guard lock(connection_->mutex);
    return state_->collected[static_cast<std::size_t>(channel)];
}

VMDSL_DECL std::string agent_stream::take_collected(wire::channel channel) {
    const std::lock_guard lock(connection_->mutex);
    return std::exchange(state_->collected[static_cast<std::size_t>(channel)], {});
}

}  // namespace vmdsl
