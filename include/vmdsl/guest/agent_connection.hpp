// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <vmdsl/core/attentive_wait.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/agent_protocol.hpp>
#include <vmdsl/guest/frame_codec.hpp>
#include <vmdsl/process/io_loop.hpp>

/// What agent_client and agent_stream share: the socket, and the protocol spoken over it. Internal: includes Asio, so
/// only bodies include it.

namespace vmdsl::detail {

struct agent_connection : std::enable_shared_from_this<agent_connection> {
    explicit agent_connection(boost::asio::io_context& context) : socket(context), orphaned(context) {}

    // The I/O thread's.
    boost::asio::local::stream_protocol::socket socket;
    frame_decoder decoder;
    std::vector<std::byte> sending;
    bool write_under_way = false;
    std::function<void(std::string)> on_lost;
    boost::asio::steady_timer orphaned;      // runs while the port is closed and nothing tells why
    deadline just_reset = deadline::at({});  // a port that closes until then was closed by the guest's reset

    // Shared, under the mutex.
    std::mutex mutex;
    std::condition_variable changed;
    agent_protocol protocol;
    std::optional<error_details> lost;
    bool write_posted = false;
    bool unexplained = false;  // the port was closed, and neither a reset nor anything else has said yet why

    void read() {
        const auto room = decoder.prepare();
        socket.async_read_some(boost::asio::buffer(room.data(), room.size()),
                               [self = shared_from_this()](boost::system::error_code ec, std::size_t n) {
                                   if (ec) {
                                       return;  // QEMU is gone; its exit says why
                                   }
                                   self->decoder.commit(n);
                                   if (self->decode()) {
                                       self->read();
                                   }
                               });
    }

    /// False where the agent broke the protocol: nothing more is read from it.
    bool decode() {
        std::vector<sink_call> calls;
        for (;;) {
            const auto found = decoder.next();
            if (found.status == decode_status::need_more) {
                return true;
            }
            std::optional<std::string> breach;
            {
                const std::lock_guard lock(mutex);
                protocol.take(found, calls);
                breach = protocol.breach();
                post_write();
            }
            changed.notify_all();
            perform_all(calls);
            if (breach) {
                if (const auto tell = on_lost) {
                    tell(*breach);
                }
                return false;
            }
        }
    }

    /// The agent has ended where no other one comes in time.
    void watch_closed_port(std::chrono::milliseconds patience) {
        if (!just_reset.expired()) {
            explain();
            return;
        }
        orphaned.expires_after(patience);
        orphaned.async_wait([weak = weak_from_this()](boost::system::error_code ec) {
            const auto self = weak.lock();
            if (ec || !self) {
                return;
            }
            bool gone = false;
            {
                const std::lock_guard lock(self->mutex);
                gone = self->protocol.restarting();
            }
            if (const auto tell = self->on_lost; gone && tell) {
                tell("its agent ended, and no other one came in its place");
            }
        });
    }

    void take_reset() {
        just_reset = deadline::in(std::chrono::seconds(3));
        orphaned.cancel();
        explain();
    }

    void explain() {
        {
            const std::lock_guard lock(mutex);
            unexplained = false;
        }
        changed.notify_all();
    }

    static void perform_all(std::vector<sink_call>& calls) {
        for (const auto& call : calls) {
            perform(call);
        }
        calls.clear();
    }

    /// Does something with the protocol, from any thread: `work(protocol, calls)`, under the mutex.
    template <class Work>
    auto with_protocol(Work&& work) {
        std::vector<sink_call> calls;
        const std::lock_guard lock(mutex);
        const after_work after{*this, calls};
        return work(protocol, calls);
    }

    /// Waits, with the mutex held, until `done` or the deadline. False where the deadline passed first.
    template <class Predicate>
    bool wait(std::unique_lock<std::mutex>& lock, deadline until, Predicate done) {
        attentive_wait(changed, lock, until, [&] { return lost.has_value() || done(); });
        if (done()) {
            return true;
        }
        throw_if_lost();
        return false;
    }

    /// With the mutex held.
    void throw_if_lost() const {
        if (lost) {
            throw machine_died(*lost);
        }
    }

    /// With the mutex held: sees to it that what the protocol has to send is sent.
    void post_write() {
        if (protocol.has_output() && !std::exchange(write_posted, true)) {
            io_loop::instance().post([self = shared_from_this()] { self->write(); });
        }
    }

private:
    struct after_work {
        agent_connection& self;
        std::vector<sink_call>& calls;

        ~after_work() {
            self.changed.notify_all();
            self.post_write();
            if (!calls.empty()) {
                io_loop::instance().post([late = std::move(calls)]() mutable { perform_all(late); });
            }
        }
    };

    /// On the I/O thread. What the agent does not take yet stays in the protocol: one batch at most is under way.
    void write() {
        std::vector<sink_call> calls;
        {
            const std::lock_guard lock(mutex);
            write_posted = false;
            if (write_under_way) {
                return;
            }
            sending.clear();
            protocol.take_output(sending, calls);
        }
        if (!sending.empty()) {
            write_under_way = true;
            boost::asio::async_write(socket, boost::asio::buffer(sending),
                                     [self = shared_from_this()](boost::system::error_code ec, std::size_t) {
                                         self->write_under_way = false;
                                         if (!ec) {
                                             self->write();
                                         }
                                     });
        }
        perform_all(calls);
    }
};

}  // namespace vmdsl::detail
