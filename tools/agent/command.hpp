// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include <agent/byte_queue.hpp>
#include <agent/cgroup.hpp>
#include <agent/pacer.hpp>
#include <agent/spawn.hpp>
#include <agent/stream.hpp>
#include <agent/watched_fd.hpp>

namespace vmdsl::agent {

/// A command that runs: its process, three pipes or one terminal, and its cgroup.
///
/// It has ended when its own process has, and what was in the pipes at that moment was delivered. Processes that it
/// left behind keep running, and go on writing into pipes that someone empties; they don't hold up the end.
class command final : public stream, public fd_owner {
public:
    /// What its standard streams are. A terminal's input and output are two descriptors for one master, and it has no
    /// separate errors.
    enum class means : std::uint8_t { pipes, terminal };

    command(session& owner, std::uint32_t id, means with) noexcept;
    ~command() override;

    void open(std::span<const std::byte> payload) override;

    void on_data(std::span<const std::byte> bytes) override;
    void on_end() override;
    void on_signal(int number, bool whole_tree) override;
    void on_resize(std::span<const std::byte> payload) override;
    void on_close() override;
    step_result step() override;
    bool on_child_exit(int pid, int status) override;
    void on_fd_ready() override { need_step(); }

private:
    /// Both sides of its standard streams. Empty where there is none: no input, or no errors of a terminal's.
    struct streams {
        unique_fd our_input;
        unique_fd our_output;
        unique_fd our_errors;
        unique_fd input;
        unique_fd output;
        unique_fd errors;
    };

    /// One of the command's two outputs.
    struct output_state {
        watched_fd pipe;
        pacer pace{};
        bool done = false;           ///< Everything was delivered that will be.
        bool lingering = false;      ///< Someone else still holds the other end.
        std::size_t last_bytes = 0;  ///< After the process has ended: what it had left in the pipe.
    };

    [[nodiscard]] bool read_request(std::span<const std::byte> payload, spawn_request& request);
    void start(spawn_request& request, std::span<const std::byte> payload);
    void check_start();
    [[nodiscard]] bool make_streams(streams& made, std::span<const std::byte> payload);
    void feed_input();
    step_result drain(wire::channel channel);
    void finish_output(wire::channel channel);
    void kill_tree();
    void finish_command();
    [[nodiscard]] text mark() const;

    means with_;
    command_cgroup cgroup_;
    watched_fd starting_;  ///< Tells that the program runs, or why it does not.
    watched_fd input_;
    byte_queue input_bytes_;
    std::array<output_state, 2> outputs_;
    int pid_ = -1;
    int status_ = 0;
    std::uint64_t started_at_ = 0;
    std::uint64_t run_time_ = 0;
    bool no_input_ = false;
    bool input_ending_ = false;
    bool exited_ = false;
    bool closing_ = false;
};

}  // namespace vmdsl::agent
