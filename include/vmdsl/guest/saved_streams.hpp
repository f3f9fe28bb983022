// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <vmdsl/guest/stream_sink.hpp>

namespace vmdsl {

/// What the host has of one stream when its machine is saved.
struct saved_stream {
    std::uint32_t id = 0;
    std::array<std::string, 2> collected;  ///< By wire::channel.
    bool too_much = false;                 ///< More came than is collected: it was told to close.
    std::optional<stream_end> end;         ///< Where it has ended already.
};

/// The host's side of the conversation with a guest agent, as a checkpoint keeps it. The agent's side is in the guest's
/// memory. No credit is kept: a resume starts it again on both sides.
struct saved_streams {
    std::string boot_id;                ///< Of the guest, by which its next boot is told from this one.
    std::uint32_t next_id = 1;          ///< Streams of lower ids may be open in the guest.
    std::vector<saved_stream> streams;  ///< Those that are open, or that somebody may still ask about.
};

}  // namespace vmdsl
