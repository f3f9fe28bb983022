// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <future>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/net/egress_queue.hpp>
#include <vmdsl/net/fabric_report.hpp>
#include <vmdsl/net/link.hpp>
#include <vmdsl/net/stream_framer.hpp>
#include <vmdsl/net/switch.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl::detail {

/// One network card's end of its cable, and the socket behind it.
struct fabric_port {
    fabric_port(boost::asio::io_context& context, link_name link_called, std::size_t card)
        : name(std::move(link_called)), nic(card), socket(context) {}

    link_name name;
    std::size_t nic;
    std::size_t segment = 0;  ///< Index of the segment's switch.
    switch_port number = 0;   ///< Index of this port.
    link_state link;
    boost::asio::posix::stream_descriptor socket;
    stream_splitter splitter;
    egress_queue queue;
    std::uint64_t generation = 0;  ///< A wait of an earlier generation ends without effect.
    bool waits_to_write = false;
    bool reader_gone = false;  ///< QEMU's end takes no more frames; what it wrote can still be read.
    bool touched = false;      ///< Is in fabric_engine::touched_.
    std::string down_because;
};

/// What runs on the fabric's thread. Everything but the constructor, the destructor and call() is for that thread only.
///
/// Internal: this header includes Asio, so nothing that a spec includes may include it.
class fabric_engine {
public:
    explicit VMDSL_DECL fabric_engine(const network_plan& plan);
    VMDSL_DECL ~fabric_engine();
    fabric_engine(const fabric_engine&) = delete;
    fabric_engine& operator=(const fabric_engine&) = delete;

    /// Runs `work` on the fabric's thread, waits for it, and returns what it returns or throws what it throws.
    template <class Work>
    auto call(Work work) -> std::invoke_result_t<Work&> {
        std::packaged_task<std::invoke_result_t<Work&>()> task(std::move(work));
        auto result = task.get_future();
        // The handler owns the task: its shared state must outlive the moment in which the waiting thread wakes up.
        boost::asio::post(context_, [owned = std::move(task)]() mutable { owned(); });
        return result.get();
    }

    /// Makes the ports of one more machine; those that it has stay.
    VMDSL_DECL void add(const machine_plan& machine);
    [[nodiscard]] VMDSL_DECL fabric_port& port(std::string_view machine, std::size_t nic);
    [[nodiscard]] VMDSL_DECL fabric_port& port(std::string_view machine, std::string_view segment);
    /// The machine's ports in the order of its cards; none for a machine without a card.
    [[nodiscard]] VMDSL_DECL std::vector<fabric_port*> ports_of(std::string_view machine);
    [[nodiscard]] std::deque<fabric_port>& ports() noexcept { return ports_; }
    [[nodiscard]] VMDSL_DECL learning_switch& switch_of(std::string_view segment);
    [[nodiscard]] VMDSL_DECL static link_report report(const fabric_port& port);

    /// Takes the descriptor over as the port's socket.
    VMDSL_DECL void open(fabric_port& port, unique_fd socket);
    /// Closes the port's socket, if any, and counts what is lost with it.
    VMDSL_DECL void close(fabric_port& port, std::string because);

    VMDSL_DECL void pause() noexcept;
    VMDSL_DECL void resume();
    [[nodiscard]] bool paused() const noexcept { return paused_; }
    [[nodiscard]] VMDSL_DECL drain_report drain();
    VMDSL_DECL void forget_stations() noexcept;

private:
    VMDSL_DECL void run() noexcept;
    VMDSL_DECL void wait_to_read(fabric_port& port);
    VMDSL_DECL void wait_to_write(fabric_port& port);
    VMDSL_DECL std::size_t read_once(fabric_port& port);
    VMDSL_DECL void take_bytes(fabric_port& port, std::span<const std::byte> bytes);
    VMDSL_DECL void forward(fabric_port& ingress, frame_view frame);
    VMDSL_DECL void deliver(fabric_port& egress, frame_view frame);
    VMDSL_DECL void write_once(fabric_port& port);
    VMDSL_DECL void write_touched();
    [[nodiscard]] VMDSL_DECL std::vector<link_name> read_all();

    std::vector<std::string> machines_;
    std::vector<std::string> segments_;
    std::vector<learning_switch> switches_;  ///< One per segment.
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::deque<fabric_port> ports_;       ///< A deque: waits keep references. Gone before the context is.
    std::vector<fabric_port*> touched_;   ///< Ports that got frames during this wake-up.
    std::vector<std::byte> read_buffer_;  ///< Shared: a port keeps only what is left of an incomplete frame.
    std::uint64_t frames_seen_ = 0;
    bool paused_ = false;
    std::thread thread_;  ///< Last: it must not start before the rest is there.
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/fabric_engine.ipp>
#endif
