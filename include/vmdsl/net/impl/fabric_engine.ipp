// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <span>
#include <string>
#include <system_error>

#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/net/fabric_engine.hpp>

namespace vmdsl::detail {

/// One read takes all that a QEMU can have on its way, with the kernel's default buffers, several times over.
inline constexpr std::size_t fabric_read_bytes = std::size_t{256} << 10U;

/// A stopped machine has at most its socket's buffers to be read; one that goes on past this was not stopped.
inline constexpr std::size_t fabric_drain_bytes = std::size_t{8} << 20U;

/// A thread that takes no signals: they are for the thread that runs the tests.
template <class Body>
std::thread fabric_start_thread(Body body) {
    sigset_t all;
    sigset_t before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread thread(std::move(body));
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        return thread;
    } catch (...) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        throw;
    }
}

inline std::string fabric_describe(framing_error error) {
    return error == framing_error::zero_length
               ? "it announced a frame of no bytes"
               : "it announced a frame of more than " + std::to_string(largest_frame_bytes) + " bytes";
}

VMDSL_DECL fabric_engine::fabric_engine(const network_plan& plan)
    : segments_(plan.segments),
      switches_(plan.segments.size()),
      work_(context_.get_executor()),
      read_buffer_(fabric_read_bytes) {
    for (const machine_plan& machine : plan.machines) {
        add(machine);
    }
    thread_ = fabric_start_thread([this] { run(); });
}

VMDSL_DECL void fabric_engine::add(const machine_plan& machine) {
    if (std::find(machines_.begin(), machines_.end(), machine.name) == machines_.end()) {
        machines_.push_back(machine.name);
    }
    for (std::size_t nic = ports_of(machine.name).size(); nic < machine.segments.size(); ++nic) {
        const auto& segment = machine.segments[nic];
        fabric_port& added = ports_.emplace_back(context_, link_name{machine.name, segment}, nic);
        added.segment =
            static_cast<std::size_t>(std::find(segments_.begin(), segments_.end(), segment) - segments_.begin());
        added.number = static_cast<switch_port>(ports_.size() - 1);
    }
    touched_.reserve(ports_.size());
}

VMDSL_DECL fabric_engine::~fabric_engine() {
    context_.stop();
    thread_.join();
}

VMDSL_DECL void fabric_engine::run() noexcept {
    ::pthread_setname_np(::pthread_self(), "vmdsl-net");
    context_.run();
}

VMDSL_DECL fabric_port& fabric_engine::port(std::string_view machine, std::size_t nic) {
    const auto cards = ports_of(machine);
    if (nic >= cards.size()) {
        throw usage_error("machine \"" + std::string(machine) + "\" has no network card number " + std::to_string(nic),
                          "it has " + std::to_string(cards.size()) + ", counted from 0");
    }
    return *cards[nic];
}

VMDSL_DECL fabric_port& fabric_engine::port(std::string_view machine, std::string_view segment) {
    for (fabric_port* const port : ports_of(machine)) {
        if (port->name.segment == segment) {
            return *port;
        }
    }
    throw usage_error("machine \"" + std::string(machine) + "\" has no network card on segment \"" +
                      std::string(segment) + '"');
}

VMDSL_DECL std::vector<fabric_port*> fabric_engine::ports_of(std::string_view machine) {
    if (std::find(machines_.begin(), machines_.end(), machine) == machines_.end()) {
        throw usage_error("the network has no machine \"" + std::string(machine) + '"');
    }
    std::vector<fabric_port*> found;
    for (fabric_port& port : ports_) {
        if (port.name.machine == machine) {
            found.push_back(&port);
        }
    }
    return found;
}

VMDSL_DECL learning_switch& fabric_engine::switch_of(std::string_view segment) {
    const auto found = std::find(segments_.begin(), segments_.end(), segment);
    if (found == segments_.end()) {
        throw usage_error("the network has no segment \"" + std::string(segment) + '"');
    }
    return switches_[static_cast<std::size_t>(found - segments_.begin())];
}

VMDSL_DECL link_report fabric_engine::report(const fabric_port& port) {
    return {port.name, port.socket.is_open(), port.link.is_cut(), port.down_because, port.link.counters()};
}

VMDSL_DECL void fabric_engine::open(fabric_port& port, unique_fd socket) {
    close(port, {});
    boost::system::error_code failed;
    port.socket.assign(socket.get(), failed);
    if (failed) {
        throw could_not_run("the network could not take a socket: " + failed.message());
    }
    static_cast<void>(socket.release());
    switches_[port.segment].add_port(port.number);
    if (!paused_) {
        wait_to_read(port);
    }
}

VMDSL_DECL void fabric_engine::close(fabric_port& port, std::string because) {
    port.down_because = std::move(because);
    if (!port.socket.is_open()) {
        return;
    }
    port.link.count_socket_drops(link_direction::from_machine, port.splitter.partial_bytes() != 0 ? 1 : 0);
    port.link.count_socket_drops(link_direction::to_machine, port.queue.frames());
    switches_[port.segment].remove_port(port.number);
    boost::system::error_code ignored;  // the descriptor is gone in any case
    port.socket.close(ignored);
    port.splitter = {};
    port.queue.clear();
    ++port.generation;
    port.waits_to_write = port.reader_gone = false;
}

VMDSL_DECL void fabric_engine::wait_to_read(fabric_port& port) {
    port.socket.async_wait(boost::asio::posix::descriptor_base::wait_read,
                           [this, &port, generation = port.generation](const boost::system::error_code&) {
                               if (generation != port.generation) {
                                   return;
                               }
                               read_once(port);
                               write_touched();
                               if (port.socket.is_open()) {
                                   wait_to_read(port);
                               }
                           });
}

VMDSL_DECL void fabric_engine::wait_to_write(fabric_port& port) {
    port.waits_to_write = true;
    port.socket.async_wait(boost::asio::posix::descriptor_base::wait_write,
                           [this, &port, generation = port.generation](const boost::system::error_code&) {
                               if (generation != port.generation) {
                                   return;
                               }
                               port.waits_to_write = false;
                               write_once(port);
                           });
}

/// Returns how many bytes came, 0 where there is nothing to read now or the port went down.
VMDSL_DECL std::size_t fabric_engine::read_once(fabric_port& port) {
    const ssize_t count = ::recv(port.socket.native_handle(), read_buffer_.data(), read_buffer_.size(), MSG_DONTWAIT);
    if (count > 0) {
        const auto bytes = static_cast<std::size_t>(count);
        take_bytes(port, std::span(read_buffer_).first(bytes));
        return bytes;
    }
    if (count == 0) {
        close(port, "QEMU closed its end");
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        close(port, "reading from QEMU failed: " + std::generic_category().message(errno));
    }
    return 0;
}

VMDSL_DECL void fabric_engine::take_bytes(fabric_port& port, std::span<const std::byte> bytes) {
    port.splitter.feed(bytes);
    while (const auto frame = port.splitter.next()) {
        ++frames_seen_;
        forward(port, *frame);
    }
    if (port.splitter.violation() == framing_error::none) {
        return;
    }
    const std::string because = "QEMU broke the framing: " + fabric_describe(port.splitter.violation());
    emit(event_kind::warning, port.name.machine,
         {{"text", "its link to segment \"" + port.name.segment + "\" is down: " + because}});
    close(port, because);
}

/// Takes a frame in at a port. The link is asked before the switch: what a cut cable loses, the switch never learns.
VMDSL_DECL void fabric_engine::forward(fabric_port& ingress, frame_view frame) {
    if (ingress.link.judge(link_direction::from_machine, frame) != link_verdict::pass) {
        return;
    }
    ingress.link.count_forwarded(link_direction::from_machine, frame);
    for (const switch_port egress : switches_[ingress.segment].decide(ingress.number, frame)) {
        deliver(ports_[egress], frame);
    }
}

VMDSL_DECL void fabric_engine::deliver(fabric_port& egress, frame_view frame) {
    if (egress.link.judge(link_direction::to_machine, frame) != link_verdict::pass) {
        return;
    }
    if (egress.reader_gone) {
        egress.link.count_socket_drops(link_direction::to_machine, 1);
        return;
    }
    bool queued = egress.queue.push(frame);
    if (!queued && !egress.waits_to_write) {
        write_once(egress);  // many short frames fill the queue within one wake-up, though the reader is fast
        queued = egress.queue.push(frame);
    }
    if (!queued) {
        egress.link.count_queue_drop();
        return;
    }
    egress.link.count_forwarded(link_direction::to_machine, frame);
    if (!egress.touched) {
        egress.touched = true;
        touched_.push_back(&egress);
    }
}

/// Writes all that waits in one call, and has the rest written when the socket takes more.
VMDSL_DECL void fabric_engine::write_once(fabric_port& port) {
    if (port.queue.empty()) {
        return;
    }
    const auto pending = port.queue.pending();
    const ssize_t count =
        ::send(port.socket.native_handle(), pending.data(), pending.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count >= 0) {
        port.queue.consumed(static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ENOBUFS && errno != ENOMEM) {
        // The port stays until its reading side has seen the end: the machine's last frames are still to be read there.
        port.link.count_socket_drops(link_direction::to_machine, port.queue.frames());
        port.queue.clear();
        port.reader_gone = true;
    }
    if (!port.queue.empty() && !paused_) {
        wait_to_write(port);
    }
}

VMDSL_DECL void fabric_engine::write_touched() {
    for (fabric_port* const port : touched_) {
        port->touched = false;
        if (port->socket.is_open() && !port->waits_to_write) {
            write_once(*port);
        }
    }
    touched_.clear();
}

VMDSL_DECL void fabric_engine::pause() noexcept {
    paused_ = true;
    for (fabric_port& port : ports_) {
        boost::system::error_code ignored;  // says only that the port is closed
        port.socket.cancel(ignored);
        ++port.generation;
        port.waits_to_write = false;
    }
}

VMDSL_DECL void fabric_engine::resume() {
    if (!paused_) {
        return;
    }
    paused_ = false;
    for (fabric_port& port : ports_) {
        if (port.socket.is_open()) {
            write_once(port);
            wait_to_read(port);
        }
    }
}

VMDSL_DECL drain_report fabric_engine::drain() {
    if (!paused_) {
        throw usage_error("a network can be drained only while it is paused", "call pause() first");
    }
    drain_report report;
    const std::uint64_t before = frames_seen_;
    report.still_writing = read_all();
    report.frames = frames_seen_ - before;
    for (fabric_port& port : ports_) {
        if (port.socket.is_open()) {
            write_once(port);
        }
        report.waiting += port.queue.frames();
        if (port.splitter.partial_bytes() != 0 || port.queue.inside_frame()) {
            report.inside_frame.push_back(port.name);
        }
    }
    return report;
}

/// Reads from all ports in turn until none has anything to read; returns those that had no end.
VMDSL_DECL std::vector<link_name> fabric_engine::read_all() {
    std::vector<std::size_t> read(ports_.size());
    std::vector<link_name> endless;
    for (bool progress = true; progress;) {
        progress = false;
        for (fabric_port& port : ports_) {
            std::size_t& total = read[port.number];
            if (!port.socket.is_open() || total >= fabric_drain_bytes) {
                continue;
            }
            const std::size_t count = read_once(port);
            total += count;
            progress = progress || count != 0;
            if (total >= fabric_drain_bytes) {
                endless.push_back(port.name);
            }
        }
        write_touched();
    }
    return endless;
}

VMDSL_DECL void fabric_engine::forget_stations() noexcept {
    for (learning_switch& each : switches_) {
        each.flush();
    }
}

}  // namespace vmdsl::detail
