// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/io_loop.hpp>
#include <vmdsl/qemu/qmp_client.hpp>

namespace vmdsl {

struct qmp_client::connection : std::enable_shared_from_this<connection> {
    explicit connection(boost::asio::io_context& context) : socket(context) {}

    // The I/O thread's.
    boost::asio::local::stream_protocol::socket socket;
    std::function<void(const qmp_message&)> on_event;
    qmp_codec codec;
    std::array<char, 16384> buffer{};
    struct line {
        std::string text;
        std::shared_ptr<const unique_fd> descriptor;  // goes with the line's first byte (SCM_RIGHTS)
    };
    std::deque<line> outgoing;

    // Shared, under the mutex.
    std::mutex mutex;
    std::condition_variable changed;
    bool greeted = false;
    bool gone = false;
    std::uint64_t next_id = 1;
    std::map<std::uint64_t, std::optional<qmp_message>> calls;

    void read() {
        socket.async_read_some(boost::asio::buffer(buffer),
                               [self = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                                   if (ec) {
                                       self->lose();
                                       return;
                                   }
                                   for (auto& message : self->codec.feed({self->buffer.data(), n})) {
                                       self->take(std::move(message));
                                   }
                                   self->read();
                               });
    }

    void take(qmp_message message) {
        if (message.what == qmp_message::kind::event) {
            if (on_event) {
                on_event(message);
            }
            return;
        }
        {
            const std::lock_guard lock(mutex);
            if (message.what == qmp_message::kind::greeting) {
                greeted = true;
            } else if (const auto call = calls.find(message.id); call != calls.end()) {
                call->second = std::move(message);
            }
        }
        changed.notify_all();
    }

    void send(line next) {
        outgoing.push_back(std::move(next));
        if (outgoing.size() == 1) {
            write();
        }
    }

    void write() {
        auto& next = outgoing.front();
        if (next.descriptor) {
            write_with_descriptor(next);
            return;
        }
        boost::asio::async_write(socket, boost::asio::buffer(next.text),
                                 [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                                     if (ec) {
                                         self->lose();
                                         return;
                                     }
                                     self->outgoing.pop_front();
                                     if (!self->outgoing.empty()) {
                                         self->write();
                                     }
                                 });
    }

    /// Asio can't send descriptors: the first byte goes out with it by hand, the rest as ever.
    void write_with_descriptor(line& next) {
        iovec first{next.text.data(), 1};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr message{};
        message.msg_iov = &first;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        auto* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        const int descriptor = next.descriptor->get();
        std::memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
        const auto n = ::sendmsg(socket.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n == 1) {
            next.text.erase(0, 1);
            next.descriptor.reset();
            write();
            return;
        }
        if (errno != EAGAIN && errno != EINTR) {
            lose();
            return;
        }
        socket.async_wait(boost::asio::local::stream_protocol::socket::wait_write,
                          [self = shared_from_this()](boost::system::error_code ec) {
                              if (!ec) {
                                  self->write();
                              }
                          });
    }

    void lose() {
        {
            const std::lock_guard lock(mutex);
            gone = true;
        }
        changed.notify_all();
    }
};

VMDSL_DECL qmp_client::qmp_client(unique_fd socket, std::function<void(const qmp_message&)> on_event) {
    auto& loop = io_loop::instance();
    connection_ = std::make_shared<connection>(loop.context());
    loop.call([&] {
        connection_->socket.assign(boost::asio::local::stream_protocol(), socket.release());
        connection_->on_event = std::move(on_event);
        connection_->read();
    });
}

VMDSL_DECL qmp_client::~qmp_client() {
    io_loop::instance().call([&] {
        boost::system::error_code ignored;
        connection_->on_event = nullptr;
        connection_->socket.close(ignored);
    });
}

VMDSL_DECL void qmp_client::abandon() {
    connection_->lose();
}

VMDSL_DECL void qmp_client::handshake(deadline until) {
    {
        std::unique_lock lock(connection_->mutex);
        connection_->changed.wait_until(lock, until.moment(),
                                        [&] { return connection_->greeted || connection_->gone; });
        if (connection_->gone) {
            throw machine_died("QEMU ended before it said anything");
        }
        if (!connection_->greeted) {
            throw timed_out("QEMU did not answer on its control socket");
        }
    }
    execute("qmp_capabilities", {}, until);
}

VMDSL_DECL boost::json::value qmp_client::execute(std::string_view command, const boost::json::object& arguments,
                                                  deadline until) {
    return call(command, arguments, nullptr, until);
}

VMDSL_DECL void qmp_client::send_descriptor(std::string_view name, const unique_fd& descriptor, deadline until) {
    // The line may still wait for its turn when the caller has given up and closed its own.
    auto own = std::make_shared<const unique_fd>(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, 0));
    if (!*own) {
        throw could_not_run(std::string("can't hand QEMU a descriptor: ") + std::strerror(errno));
    }
    call("getfd", {{"fdname", boost::json::string_view(name.data(), name.size())}}, std::move(own), until);
}

VMDSL_DECL boost::json::value qmp_client::call(std::string_view command, const boost::json::object& arguments,
                                               std::shared_ptr<const unique_fd> descriptor, deadline until) {
    auto& c = *connection_;
    std::unique_lock lock(c.mutex);
    const auto id = c.next_id++;
    c.calls.emplace(id, std::nullopt);
    io_loop::instance().post(
        [connection = connection_, text = qmp_codec::command(id, command, arguments), descriptor]() mutable {
            connection->send({std::move(text), std::move(descriptor)});
        });
    c.changed.wait_until(lock, until.moment(), [&] { return c.gone || c.calls.at(id).has_value(); });
    auto answer = std::move(c.calls.at(id));
    c.calls.erase(id);
    if (!answer) {
        if (c.gone) {
            throw machine_died("QEMU ended while it was asked for " + std::string(command));
        }
        throw timed_out("QEMU did not answer to " + std::string(command) + " in time");
    }
    if (answer->what == qmp_message::kind::failure) {
        throw error("QEMU refused " + std::string(command) + ": " + answer->text);
    }
    return std::move(answer->body);
}

}  // namespace vmdsl
