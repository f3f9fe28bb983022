// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/guest/agent_stream.hpp>
#include <vmdsl/guest/stream_sink.hpp>

namespace vmdsl {

/// Lets a thread that may block take a stream's bytes, or send it bytes, a piece at a time: the agent's credit bounds
/// what waits in memory. For one stream, which is opened with `sink()`; for one thread.
class stream_queue {
public:
    VMDSL_DECL stream_queue();

    [[nodiscard]] VMDSL_DECL stream_sink sink();

    /// Waits for bytes and takes what has come. Empty text: the stream has ended or was lost, which its `wait` tells.
    /// Nothing: the deadline passed.
    [[nodiscard]] VMDSL_DECL std::optional<std::string> take(agent_stream& stream, deadline until);

    /// Sends bytes and waits until they are on their way. False where the stream has ended or was lost, or the deadline
    /// passed: nothing more is taken then.
    [[nodiscard]] VMDSL_DECL bool send(agent_stream& stream, std::string bytes, deadline until);

private:
    struct state;
    std::shared_ptr<state> state_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/stream_queue.ipp>
#endif
