// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <mutex>
#include <utility>

#include <vmdsl/core/attentive_wait.hpp>
#include <vmdsl/guest/stream_queue.hpp>

namespace vmdsl {

/// Shared with the I/O thread, which may still call the sink when the queue is gone.
struct stream_queue::state {
    std::mutex mutex;
    std::condition_variable changed;
    std::string received;
    bool sent = true;
    bool over = false;
};

VMDSL_DECL stream_queue::stream_queue() : state_(std::make_shared<state>()) {
}

VMDSL_DECL stream_sink stream_queue::sink() {
    const auto change = [s = state_](const auto& what) {
        {
            const std::lock_guard lock(s->mutex);
            what(*s);
        }
        s->changed.notify_all();
    };
    stream_sink sink;
    sink.on_data = [change](wire::channel, std::string_view bytes) { change([&](state& s) { s.received += bytes; }); };
    sink.on_writable = [change] { change([](state& s) { s.sent = true; }); };
    sink.on_closed = [change] { change([](state& s) { s.over = true; }); };
    return sink;
}

VMDSL_DECL std::optional<std::string> stream_queue::take(agent_stream& stream, deadline until) {
    std::string bytes;
    {
        std::unique_lock lock(state_->mutex);
        const auto there = [&] { return state_->over || !state_->received.empty(); };
        if (!attentive_wait(state_->changed, lock, until, there)) {
            return std::nullopt;
        }
        bytes = std::exchange(state_->received, {});
    }
    stream.grant(wire::channel::main, bytes.size());
    return bytes;
}

VMDSL_DECL bool stream_queue::send(agent_stream& stream, std::string bytes, deadline until) {
    {
        const std::lock_guard lock(state_->mutex);
        state_->sent = false;
    }
    stream.write(std::move(bytes));
    std::unique_lock lock(state_->mutex);
    attentive_wait(state_->changed, lock, until, [&] { return state_->sent || state_->over; });
    return state_->sent && !state_->over;
}

}  // namespace vmdsl
