// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include <agent/cgroup.hpp>
#include <agent/child_watch.hpp>
#include <agent/event_loop.hpp>
#include <agent/host_link.hpp>
#include <agent/machine_setup.hpp>
#include <agent/power.hpp>
#include <agent/stream.hpp>

namespace vmdsl::agent {

/// How the agent is run.
struct session_options {
    text root;                  ///< Stands in front of /root and of the files that `configure` writes, in tests.
    bool touch_system = true;   ///< Whether `configure` and `resume` change the running system.
    text cgroup_name{"vmdsl"};  ///< The commands' folder in the cgroup hierarchy. Empty: process groups only.
    unique_fd configured;       ///< Told with one byte when the host has configured the machine.
};

/// Serves one host: dispatches its frames, owns the streams.
class session final : public host_listener, public child_listener {
public:
    session(unique_fd connection, host_link::kind what, session_options options);
    /// Ends every process that was started here.
    ~session();

    /// Serves until the host is gone for good.
    void run();

    [[nodiscard]] event_loop& loop() noexcept { return loop_; }
    [[nodiscard]] host_link& link() noexcept { return link_; }
    [[nodiscard]] cgroup_tree& cgroups() noexcept { return cgroups_; }
    /// Where commands start and relative paths begin.
    [[nodiscard]] std::string_view home() const noexcept { return home_; }
    /// A path from the host as the kernel takes it. False where there is none, or a zero byte in it.
    [[nodiscard]] bool resolve_path(std::span<const std::byte> payload, text& path) const;

    void make_ready(stream& which);
    void protocol_error(std::initializer_list<std::string_view> parts);

    void on_connected() override;
    void on_frame(const wire::header& header, std::span<const std::byte> payload) override;
    void on_junk() override;
    void on_child_exit(int pid, int status) override;

private:
    static constexpr std::size_t most_streams = 4096;

    /// Streams wait in one list at most, in the order in which they came.
    struct stream_list {
        stream* first = nullptr;
        stream* last = nullptr;

        void append(stream& which) noexcept;
        [[nodiscard]] stream& pop() noexcept;
    };

    void say_hello();
    void on_control(const wire::header& header, std::span<const std::byte> payload);
    void on_configure(std::span<const std::byte> payload);
    void on_resume(std::span<const std::byte> payload);
    void on_open(std::uint32_t id, std::span<const std::byte> payload);
    [[nodiscard]] stream* make_stream(std::uint32_t id, wire::stream_kind kind);
    void refuse(std::uint32_t id, int error, std::string_view why);
    void on_stream(const wire::header& header, std::span<const std::byte> payload);

    [[nodiscard]] stream** slot_of(std::uint32_t id) noexcept;
    [[nodiscard]] stream* find(std::uint32_t id) noexcept;
    void drop_finished(stream& which);
    template <class Function>
    void for_each_stream(Function&& function);
    void step_ready_streams();

    session_options options_;
    text home_;
    event_loop loop_;
    cgroup_tree cgroups_;
    child_watch children_;
    machine_setup setup_;
    power_switch power_;
    std::array<stream*, 256> table_{};
    std::size_t stream_count_ = 0;
    stream_list ready_;     ///< To be stepped as soon as the link takes output.
    stream_list deferred_;  ///< To be stepped after the next wait, which is a short one.
    host_link link_;
};

}  // namespace vmdsl::agent
