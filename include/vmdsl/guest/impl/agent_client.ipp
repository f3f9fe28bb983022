// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <mutex>
#include <utility>

#include <sys/random.h>

#include <vmdsl/guest/agent_client.hpp>
#include <vmdsl/guest/agent_connection.hpp>

namespace vmdsl {

namespace detail {

/// The present time and 64 random bytes, which `configure` and `resume` carry.
inline void put_time_and_entropy(payload_builder& payload) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    payload.u64(wire::tag::wall_time,
                static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()));
    std::array<std::byte, 64> seed{};
    if (::getrandom(seed.data(), seed.size(), 0) == static_cast<ssize_t>(seed.size())) {
        payload.bytes(wire::tag::entropy, seed);
    }
}

inline std::uint32_t random_epoch() {
    std::uint32_t epoch = 0;
    while (epoch == 0 && ::getrandom(&epoch, sizeof epoch, 0) != sizeof epoch) {
    }
    return epoch | 1U;  // never 0, the epoch after a boot
}

}  // namespace detail

VMDSL_DECL agent_client::agent_client(unique_fd socket, std::function<void(std::string)> on_lost) {
    auto& loop = io_loop::instance();
    connection_ = std::make_shared<detail::agent_connection>(loop.context());
    loop.call([&] {
        connection_->socket.assign(boost::asio::local::stream_protocol(), socket.release());
        connection_->on_lost = std::move(on_lost);
        connection_->read();
    });
}

VMDSL_DECL agent_client::~agent_client() {
    error_details gone;
    gone.what_failed = "the machine was released";
    lose(gone);
    io_loop::instance().call([&] {
        boost::system::error_code ignored;
        connection_->on_lost = nullptr;
        connection_->socket.close(ignored);
        connection_->orphaned.cancel();
    });
}

VMDSL_DECL std::string agent_client::await_hello(deadline until) {
    std::unique_lock lock(connection_->mutex);
    auto& boot_id = connection_->protocol.answers.boot_id;
    if (!connection_->wait(lock, until, [&] { return boot_id.has_value(); })) {
        throw timed_out("the guest's agent did not answer");
    }
    return *std::exchange(boot_id, std::nullopt);
}

VMDSL_DECL void agent_client::expect_restart() {
    connection_->with_protocol([&](auto& protocol, auto& calls) {
        connection_->unexplained = false;
        protocol.expect_restart(calls);
    });
}

VMDSL_DECL void agent_client::port_closed(std::chrono::milliseconds patience) {
    connection_->with_protocol([&](auto& protocol, auto& calls) {
        connection_->unexplained = true;
        protocol.expect_restart(calls);
    });
    io_loop::instance().post([connection = connection_, patience] { connection->watch_closed_port(patience); });
}

VMDSL_DECL void agent_client::guest_was_reset() {
    io_loop::instance().post([connection = connection_] { connection->take_reset(); });
}

VMDSL_DECL void agent_client::await_restart(deadline until) {
    std::unique_lock lock(connection_->mutex);
    (void)connection_->wait(lock, until,
                            [&] { return !connection_->unexplained || !connection_->protocol.restarting(); });
}

VMDSL_DECL std::string agent_client::configure(const guest_settings& settings, deadline until) {
    payload_builder payload;
    payload.text(wire::tag::host_name, settings.host_name).text(wire::tag::machine_id, settings.machine_id);
    for (const auto& interface : settings.interfaces) {
        payload.text(wire::tag::interface, interface);
    }
    payload.text(wire::tag::hosts, settings.hosts);
    detail::put_time_and_entropy(payload);
    return configure_with(payload, until);
}

VMDSL_DECL std::string agent_client::set_hosts(const std::string& hosts, deadline until) {
    payload_builder payload;
    payload.text(wire::tag::hosts, hosts);
    return configure_with(payload, until);
}

VMDSL_DECL std::string agent_client::configure_with(const payload_builder& payload, deadline until) {
    std::unique_lock lock(connection_->mutex);
    connection_->throw_if_lost();
    auto& configured = connection_->protocol.answers.configured;
    configured.reset();
    connection_->protocol.send_control(wire::frame_type::configure, payload);
    connection_->post_write();
    if (!connection_->wait(lock, until, [&] { return configured.has_value(); })) {
        throw timed_out("the guest's agent did not set the machine up");
    }
    return *std::exchange(configured, std::nullopt);
}

VMDSL_DECL void agent_client::quiesce(deadline until) {
    std::unique_lock lock(connection_->mutex);
    connection_->throw_if_lost();
    connection_->protocol.quiesce();
    connection_->post_write();
    if (!connection_->wait(lock, until, [&] { return connection_->protocol.answers.quiesced; })) {
        throw timed_out("the guest's agent did not fall silent");
    }
}

VMDSL_DECL void agent_client::resume(const resume_request& request, deadline until) {
    const auto epoch = detail::random_epoch();
    io_loop::instance().call([&] { connection_->decoder.scan_for(wire::frame_type::resumed, epoch); });
    payload_builder payload;
    detail::put_time_and_entropy(payload);
    if (request.announce) {
        payload.flag(wire::tag::announce);
    }
    std::unique_lock lock(connection_->mutex);
    connection_->throw_if_lost();
    connection_->protocol.resume(epoch, request.quiesced, std::move(payload));
    connection_->post_write();
    if (!connection_->wait(lock, until, [&] { return connection_->protocol.answers.resumed; })) {
        throw timed_out("the guest's agent did not answer after the restore");
    }
}

VMDSL_DECL void agent_client::power(wire::power action) {
    payload_builder payload;
    payload.u32(wire::tag::power_action, static_cast<std::uint32_t>(action));
    connection_->with_protocol([&](auto& protocol, auto&) {
        connection_->throw_if_lost();
        protocol.send_control(wire::frame_type::power, payload);
    });
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::open(wire::stream_kind kind, payload_builder request,
                                                            stream_sink sink) {
    return connection_->with_protocol([&](auto& protocol, auto&) {
        connection_->throw_if_lost();
        auto state = protocol.open(kind, std::move(request), std::move(sink));
        return std::shared_ptr<agent_stream>(new agent_stream(connection_, std::move(state)));
    });
}

namespace detail {

inline payload_builder payload_of(const command_request& request) {
    payload_builder payload;
    if (request.arguments.empty()) {
        payload.text(wire::tag::shell_text, request.shell_text);
    }
    for (const auto& argument : request.arguments) {
        payload.text(wire::tag::argument, argument);
    }
    if (!request.directory.empty()) {
        payload.text(wire::tag::directory, request.directory);
    }
    for (const auto& variable : request.environment) {
        payload.text(wire::tag::environment, variable);
    }
    return payload;
}

}  // namespace detail

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::start_command(const command_request& request, stream_sink sink) {
    auto payload = detail::payload_of(request);
    if (!request.takes_input) {
        payload.flag(wire::tag::no_input);
    }
    return open(wire::stream_kind::command, std::move(payload), std::move(sink));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::start_terminal(const command_request& request,
                                                                      terminal_size size, stream_sink sink) {
    auto payload = detail::payload_of(request);
    payload.u32(wire::tag::rows, size.rows).u32(wire::tag::columns, size.columns);
    return open(wire::stream_kind::terminal, std::move(payload), std::move(sink));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::read_file(std::string_view path) {
    payload_builder payload;
    payload.text(wire::tag::path, path);
    return open(wire::stream_kind::read_file, std::move(payload));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::write_file(std::string_view path, std::uint32_t mode,
                                                                  bool append) {
    payload_builder payload;
    payload.text(wire::tag::path, path).u32(wire::tag::mode, mode);
    if (append) {
        payload.flag(wire::tag::append);
    }
    return open(wire::stream_kind::write_file, std::move(payload));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::stat(std::string_view path) {
    payload_builder payload;
    payload.text(wire::tag::path, path);
    return open(wire::stream_kind::stat, std::move(payload));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::read_tree(std::string_view path, stream_sink sink) {
    payload_builder payload;
    payload.text(wire::tag::path, path);
    return open(wire::stream_kind::read_tree, std::move(payload), std::move(sink));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::write_tree(std::string_view path, stream_sink sink) {
    payload_builder payload;
    payload.text(wire::tag::path, path);
    return open(wire::stream_kind::write_tree, std::move(payload), std::move(sink));
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::dial(std::string_view network, std::string_view address,
                                                            std::uint16_t port, stream_sink sink) {
    payload_builder payload;
    payload.text(wire::tag::network, network).text(wire::tag::address, address).u32(wire::tag::port, port);
    return open(wire::stream_kind::dial, std::move(payload), std::move(sink));
}

VMDSL_DECL saved_streams agent_client::save() const {
    const std::lock_guard lock(connection_->mutex);
    return connection_->protocol.save();
}

VMDSL_DECL void agent_client::restore(const saved_streams& saved) {
    const std::lock_guard lock(connection_->mutex);
    connection_->protocol.restore(saved);
}

VMDSL_DECL std::shared_ptr<agent_stream> agent_client::attach(std::uint32_t stream_id) {
    const std::lock_guard lock(connection_->mutex);
    return std::shared_ptr<agent_stream>(new agent_stream(connection_, connection_->protocol.attach(stream_id)));
}

VMDSL_DECL void agent_client::lose(error_details reason) {
    connection_->with_protocol([&](auto& protocol, auto& calls) {
        if (!connection_->lost) {
            connection_->lost = std::move(reason);
            protocol.abandon(calls);
        }
    });
}

}  // namespace vmdsl
