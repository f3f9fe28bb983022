// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <vmdsl/guest/wire.hpp>

namespace vmdsl {

/// How a stream between host and agent ended.
struct stream_end {
    bool failed = false;             ///< The agent could not do it: see `error_number` and `error_text`.
    std::uint32_t error_number = 0;  ///< errno in the guest.
    std::string error_text;
    int exit_code = 0;  ///< Of a command.
    int signal = 0;     ///< That ended a command, 0 where it exited.
    bool lingering = false;
    std::chrono::nanoseconds duration{};
    std::uint64_t size = 0;  ///< Of a file.
    std::uint32_t mode = 0;  ///< Of a file, with its type bits.
};

/// Of a terminal, in characters.
struct terminal_size {
    std::uint16_t rows = 24;
    std::uint16_t columns = 80;
};

/// Who of a command a signal goes to.
enum class signal_target : std::uint8_t {
    process,  ///< Its own process.
    tree,     ///< Everything that came of it.
};

/// What to do with a stream's bytes on the I/O thread. Without `on_data` they are collected.
struct stream_sink {
    std::function<void(wire::channel, std::string_view)> on_data;  ///< Must `grant` what it has consumed.
    std::function<void(wire::channel)> on_end_of_data;
    std::function<void()> on_writable;  ///< Everything written so far has been sent.
    std::function<void()> on_closed;    ///< Ended or lost. The last call.
};

namespace detail {

/// How much of a stream is collected per channel, in bytes.
inline constexpr std::size_t max_collected_output = 256U << 20U;

}  // namespace detail

}  // namespace vmdsl
