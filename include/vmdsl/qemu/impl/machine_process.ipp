// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/io_loop.hpp>
#include <vmdsl/qemu/machine_process.hpp>
#include <vmdsl/qemu/memory_file.hpp>
#include <vmdsl/qemu/program.hpp>
#include <vmdsl/qemu/qmp_client.hpp>

namespace vmdsl {

namespace detail {

/// Our end and QEMU's.
struct socket_pair {
    unique_fd ours;
    unique_fd theirs;
};

inline socket_pair make_socket_pair() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        throw could_not_run(std::string("can't make a socket pair: ") + std::strerror(errno));
    }
    return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// Reads the guest's console until QEMU closes it.
struct console_reader : std::enable_shared_from_this<console_reader> {
    explicit console_reader(boost::asio::io_context& context) : socket(context) {}

    boost::asio::local::stream_protocol::socket socket;
    std::array<char, 8192> buffer{};
    std::function<void(std::string_view)> handler;

    void read() {
        socket.async_read_some(boost::asio::buffer(buffer),
                               [self = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                                   if (n > 0 && self->handler) {
                                       self->handler({self->buffer.data(), n});
                                   }
                                   if (!ec) {
                                       self->read();
                                   }
                               });
    }

    /// Takes what is still in the socket: the last words of a QEMU that has ended.
    void drain() {
        boost::system::error_code ec;
        socket.non_blocking(true, ec);
        while (!ec) {
            const auto n = socket.read_some(boost::asio::buffer(buffer), ec);
            if (n > 0 && handler) {
                handler({buffer.data(), n});
            }
        }
    }
};

/// The transfer disk's size; sparse, so that only what is written takes memory.
inline constexpr std::uint64_t transfer_disk_bytes = 1ULL << 30;

}  // namespace detail

struct machine_process::parts {
    machine_handlers handlers;
    std::shared_ptr<detail::console_reader> console;
    unique_fd transfer;
    std::unique_ptr<qmp_client> qmp;

    std::mutex mutex;
    std::condition_variable changed;
    std::string migration_status;
    bool started = false;
    bool gone = false;

    void take_event(const qmp_message& event) {
        if (event.text == "MIGRATION") {
            const auto* data = event.body.if_object();
            const auto* status = data != nullptr ? data->if_contains("status") : nullptr;
            if (status != nullptr && status->is_string()) {
                const std::lock_guard lock(mutex);
                migration_status = std::string(status->get_string());
            }
            changed.notify_all();
        }
        if (event.text == "VSERPORT_CHANGE" && handlers.agent_port) {
            const auto* data = event.body.if_object();
            const auto* id = data != nullptr ? data->if_contains("id") : nullptr;
            const auto* open = data != nullptr ? data->if_contains("open") : nullptr;
            if (id != nullptr && open != nullptr && open->is_bool() && *id == "agent-port") {
                handlers.agent_port(open->get_bool());
            }
        }
        if (event.text == "GUEST_PANICKED") {
            console->drain();  // the kernel's last words are already in the socket
        }
        if (handlers.qmp_event) {
            handlers.qmp_event(event.text, boost::json::serialize(event.body));
        }
    }

    void take_exit(const child_exit& exit) {
        bool was_started = false;
        {
            const std::lock_guard lock(mutex);
            gone = true;
            was_started = started;
        }
        qmp->abandon();
        console->drain();
        changed.notify_all();
        if (was_started && handlers.exited) {
            handlers.exited(exit);
        }
    }
};

VMDSL_DECL machine_process::machine_process() : parts_(std::make_shared<parts>()) {
}

VMDSL_DECL machine_process::machine_process(qemu_configuration configuration, const unique_fd& memory,
                                            std::vector<unique_fd> nic_sockets, machine_handlers handlers,
                                            deadline until)
    : machine_process() {
    parts_->handlers = std::move(handlers);
    auto qmp = detail::make_socket_pair();
    auto agent = detail::make_socket_pair();
    auto bulk = detail::make_socket_pair();
    auto console = detail::make_socket_pair();
    parts_->transfer = make_memory_file("vmdsl-transfer", detail::transfer_disk_bytes);

    configuration.qmp_fd = qmp.theirs.get();
    configuration.agent_fd = agent.theirs.get();
    configuration.bulk_fd = bulk.theirs.get();
    configuration.console_fd = console.theirs.get();
    configuration.memory_path = memory_file_path(memory);
    configuration.transfer_path = memory_file_path(parts_->transfer);
    std::vector<int> inherited{qmp.theirs.get(),     agent.theirs.get(), bulk.theirs.get(),
                               console.theirs.get(), memory.get(),       parts_->transfer.get()};
    for (std::size_t i = 0; i < nic_sockets.size(); ++i) {
        configuration.nics.at(i).fd = nic_sockets[i].get();
        inherited.push_back(nic_sockets[i].get());
    }

    auto& loop = io_loop::instance();
    parts_->console = std::make_shared<detail::console_reader>(loop.context());
    parts_->console->handler = parts_->handlers.console;
    loop.call([&] {
        parts_->console->socket.assign(boost::asio::local::stream_protocol(), console.ours.release());
        parts_->console->read();
    });
    parts_->qmp = std::make_unique<qmp_client>(std::move(qmp.ours),
                                               [raw = parts_.get()](const qmp_message& e) { raw->take_event(e); });
    agent_socket_ = std::move(agent.ours);
    bulk_socket_ = std::move(bulk.ours);

    child_ = child::start({find_qemu().path, qemu_command_line(configuration), inherited,
                           [parts = parts_](const child_exit& exit) { parts->take_exit(exit); }, 8192});
    // From here on only QEMU holds its ends, so that its death closes them.
    qmp.theirs.reset();
    agent.theirs.reset();
    bulk.theirs.reset();
    console.theirs.reset();
    nic_sockets.clear();
    try {
        parts_->qmp->handshake(until);
        const std::lock_guard lock(parts_->mutex);
        if (parts_->gone) {
            throw machine_died("QEMU ended as soon as it had started");
        }
        parts_->started = true;
    } catch (const timed_out&) {
        throw;
    } catch (const error& problem) {
        const auto end = kill();
        throw could_not_run("QEMU did not start: " + std::string(problem.what()) + "; it " + end.describe() +
                            (end.output_tail.empty() ? "" : " and said: " + end.output_tail));
    }
}

VMDSL_DECL machine_process::~machine_process() {
    if (child_) {
        (void)kill();
    }
    // On the I/O thread: what it is doing for us just now ends first, and nothing comes after.
    io_loop::instance().call([&] {
        parts_->handlers = {};
        if (parts_->console) {
            boost::system::error_code ignored;
            parts_->console->handler = nullptr;
            parts_->console->socket.close(ignored);
        }
    });
}

VMDSL_DECL std::string machine_process::qmp(std::string_view command, std::string_view arguments, deadline until) {
    boost::json::error_code ec;
    const auto parsed = boost::json::parse(boost::json::string_view(arguments.data(), arguments.size()), ec);
    if (ec || !parsed.is_object()) {
        throw usage_error("the arguments of the QMP command " + std::string(command) +
                              " are no JSON object: " + std::string(arguments),
                          "For example: {\"device\": \"nic0\"}");
    }
    return boost::json::serialize(parts_->qmp->execute(command, parsed.get_object(), until));
}

VMDSL_DECL void machine_process::resume(deadline until) {
    parts_->qmp->execute("cont", {}, until);
}

VMDSL_DECL void machine_process::save_devices(const unique_fd& file, deadline until) {
    auto& qmp = *parts_->qmp;
    const boost::json::array capabilities{{{"capability", "x-ignore-shared"}, {"state", true}},
                                          {{"capability", "events"}, {"state", true}}};
    qmp.execute("migrate-set-capabilities", {{"capabilities", capabilities}}, until);
    qmp.send_descriptor("state", file, until);
    qmp.execute("migrate", {{"uri", "fd:state"}}, until);
    await_migration("saving the devices' state", until);
}

VMDSL_DECL void machine_process::load_devices(const unique_fd& file, deadline until) {
    auto& qmp = *parts_->qmp;
    const boost::json::array capabilities{{{"capability", "x-ignore-shared"}, {"state", true}},
                                          {{"capability", "events"}, {"state", true}}};
    qmp.execute("migrate-set-capabilities", {{"capabilities", capabilities}}, until);
    // The switch learns where a restored machine is from its first frame, as it did before.
    qmp.execute("migrate-set-parameters", {{"announce-rounds", 0}}, until);
    qmp.send_descriptor("state", file, until);
    qmp.execute("migrate-incoming", {{"uri", "fd:state"}}, until);
    await_migration("loading the devices' state", until);
}

VMDSL_DECL void machine_process::await_migration(std::string_view what, deadline until) {
    std::unique_lock lock(parts_->mutex);
    const auto decided = [&] {
        return parts_->gone || parts_->migration_status == "completed" || parts_->migration_status == "failed";
    };
    if (!parts_->changed.wait_until(lock, until.moment(), decided)) {
        throw timed_out(std::string(what) + " did not end in time");
    }
    if (parts_->gone) {
        throw machine_died("QEMU ended while " + std::string(what));
    }
    if (std::exchange(parts_->migration_status, {}) == "failed") {
        throw error("QEMU failed at " + std::string(what));
    }
}

VMDSL_DECL child_exit machine_process::kill() {
    child_->send_signal(SIGKILL);
    const auto end = child_->wait(deadline::in(std::chrono::seconds(30)));
    return end ? *end : child_exit{0, SIGKILL, "(the kernel has not let go of it after 30 s)"};
}

}  // namespace vmdsl
