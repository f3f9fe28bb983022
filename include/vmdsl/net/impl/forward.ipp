// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <chrono>
#include <set>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/net/forward.hpp>
#include <vmdsl/process/io_loop.hpp>

namespace vmdsl {

namespace detail {

/// One forwarded connection. Everything here happens on the I/O thread.
struct forwarded_connection : std::enable_shared_from_this<forwarded_connection> {
    explicit forwarded_connection(boost::asio::ip::tcp::socket s) : socket(std::move(s)) {}

    boost::asio::ip::tcp::socket socket;
    std::shared_ptr<agent_stream> guest;
    std::array<char, 32768> buffer{};
    std::string to_host;  // came from the guest, not yet given to the socket
    std::string writing;
    bool write_under_way = false;
    bool guest_ended = false;  // no more bytes will come from the guest
    bool guest_closed = false;
    bool waiting_for_credit = false;

    void start(const guest_dialler& dial) {
        stream_sink sink;
        const auto weak = weak_from_this();
        sink.on_data = [weak](wire::channel, std::string_view bytes) {
            if (const auto self = weak.lock()) {
                self->to_host += bytes;
                self->write();
            }
        };
        sink.on_end_of_data = [weak](wire::channel) {
            if (const auto self = weak.lock()) {
                self->guest_ended = true;
                self->write();
            }
        };
        sink.on_writable = [weak] {
            const auto self = weak.lock();
            if (self && std::exchange(self->waiting_for_credit, false)) {
                self->read();
            }
        };
        sink.on_closed = [self = shared_from_this()] {  // keeps the connection alive until the guest's end is gone
            self->guest_closed = true;
            self->guest_ended = true;
            self->write();
        };
        guest = dial(std::move(sink));
        if (guest) {
            read();
        }
    }

    void read() {
        socket.async_read_some(boost::asio::buffer(buffer),
                               [self = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                                   if (ec == boost::asio::error::eof) {
                                       self->guest->end_of_data();  // the answer may still be wanted
                                       return;
                                   }
                                   if (ec) {
                                       self->abort();  // it was reset, or closed by us
                                       return;
                                   }
                                   self->guest->write({self->buffer.data(), n});
                                   self->continue_reading();
                               });
    }

    void continue_reading() {
        if (guest->has_unsent()) {
            waiting_for_credit = true;
            return;
        }
        read();
    }

    void write() {
        if (write_under_way) {
            return;
        }
        if (to_host.empty()) {
            boost::system::error_code ignored;
            if (guest_closed) {
                socket.close(ignored);
            } else if (guest_ended) {
                socket.shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
            }
            return;
        }
        writing = std::exchange(to_host, {});
        write_under_way = true;
        boost::asio::async_write(socket, boost::asio::buffer(writing),
                                 [self = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                                     self->write_under_way = false;
                                     if (ec) {
                                         self->abort();  // nobody listens any more
                                         return;
                                     }
                                     self->guest->grant(wire::channel::main, n);
                                     self->write();
                                 });
    }

    void abort() {
        boost::system::error_code ignored;
        socket.close(ignored);
        if (guest) {
            guest->close();
        }
    }
};

}  // namespace detail

struct port_forward::listener : std::enable_shared_from_this<listener> {
    explicit listener(boost::asio::io_context& context) : acceptor(context), next_attempt(context) {}

    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer next_attempt;
    bool failing = false;
    guest_dialler dial;
    std::vector<std::weak_ptr<detail::forwarded_connection>> connections;

    void accept() {
        acceptor.async_accept(
            [self = shared_from_this()](boost::system::error_code ec, boost::asio::ip::tcp::socket socket) {
                if (!self->acceptor.is_open()) {
                    return;  // closed, perhaps while this one was on its way here
                }
                if (ec) {
                    self->accept_later(ec);
                    return;
                }
                self->failing = false;
                std::erase_if(self->connections, [](const auto& weak) { return weak.expired(); });
                auto connection = std::make_shared<detail::forwarded_connection>(std::move(socket));
                self->connections.push_back(connection);
                connection->start(self->dial);
                self->accept();
            });
    }

    /// What is missing, descriptors for example, may be there again soon; the caller waits in the kernel's queue.
    void accept_later(const boost::system::error_code& problem) {
        if (!std::exchange(failing, true)) {
            boost::system::error_code unknown;
            emit(event_kind::warning, {},
                 {{"text", "127.0.0.1:" + std::to_string(acceptor.local_endpoint(unknown).port()) +
                               " can't take a connection: " + problem.message() + "; it keeps trying"}});
        }
        next_attempt.expires_after(std::chrono::milliseconds(100));
        next_attempt.async_wait([self = shared_from_this()](boost::system::error_code) {
            if (self->acceptor.is_open()) {
                self->accept();
            }
        });
    }
};

VMDSL_DECL port_forward::port_forward(std::uint16_t host_port, guest_dialler dial) {
    auto& loop = io_loop::instance();
    listener_ = std::make_shared<listener>(loop.context());
    listener_->dial = std::move(dial);
    loop.call([&] {
        using boost::asio::ip::tcp;
        const tcp::endpoint address(boost::asio::ip::address_v4::loopback(), host_port);
        boost::system::error_code ec;
        listener_->acceptor.open(address.protocol(), ec);
        listener_->acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
        listener_->acceptor.bind(address, ec);
        if (!ec) {
            listener_->acceptor.listen(boost::asio::socket_base::max_listen_connections, ec);
        }
        if (ec) {
            throw could_not_run("can't listen on 127.0.0.1:" + std::to_string(host_port) + ": " + ec.message(),
                                "Is another network with this forwarded port running?");
        }
        port_ = listener_->acceptor.local_endpoint(ec).port();
        listener_->accept();
    });
}

VMDSL_DECL port_forward::~port_forward() {
    io_loop::instance().call([&] {
        boost::system::error_code ignored;
        listener_->acceptor.close(ignored);
        listener_->next_attempt.cancel();
        for (const auto& weak : listener_->connections) {
            if (const auto connection = weak.lock()) {
                connection->abort();
            }
        }
    });
}

}  // namespace vmdsl
