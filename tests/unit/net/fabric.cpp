// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/net/fabric.hpp>
#include <vmdsl/net/stream_framer.hpp>

using namespace vmdsl;
using namespace std::chrono_literals;

namespace {

using bytes = std::vector<std::byte>;

constexpr auto patience = 20s;

network_plan lan_of(std::initializer_list<std::string> names) {
    network_plan plan{{"lan"}, {}};
    for (const std::string& name : names) {
        machine_plan machine;
        machine.name = name;
        machine.segments = {"lan"};
        plan.machines.push_back(machine);
    }
    return plan;
}

/// A frame from station `from` to station `to` (0: broadcast), with a number to tell it by.
bytes a_frame(std::uint8_t to, std::uint8_t from, std::uint32_t number = 0, std::size_t size = 60) {
    bytes frame(size);
    const auto address = [&frame](std::size_t at, std::uint8_t station) {
        const std::array<std::uint8_t, 6> mac{0x52, 0x54, 0, 0x12, 1, station};
        for (std::size_t i = 0; i != mac.size(); ++i) {
            frame[at + i] = station == 0 ? std::byte{0xff} : std::byte{mac[i]};
        }
    };
    address(0, to);
    address(6, from);
    std::memcpy(frame.data() + 14, &number, sizeof number);
    return frame;
}

bytes with_header(const bytes& frame) {
    const auto length = static_cast<std::uint32_t>(frame.size());
    bytes out{std::byte(length >> 24U), std::byte(length >> 16U), std::byte(length >> 8U), std::byte(length)};
    out.insert(out.end(), frame.begin(), frame.end());
    return out;
}

/// Stands for a QEMU: the other end of a port's socket.
class station {
public:
    explicit station(unique_fd socket) : socket_(std::move(socket)) {}

    /// Writes all, waiting for the switch to take it.
    void write(const bytes& data) {
        std::size_t done = 0;
        while (done != data.size()) {
            const auto count = ::send(fd(), data.data() + done, data.size() - done, MSG_NOSIGNAL);
            if (count > 0) {
                done += static_cast<std::size_t>(count);
                continue;
            }
            BOOST_TEST_REQUIRE(errno == EAGAIN);
            BOOST_TEST_REQUIRE(ready(POLLOUT, patience));
        }
    }

    /// Writes as much as the socket takes now.
    std::size_t write_some(const bytes& data) {
        const auto count = ::send(fd(), data.data(), data.size(), MSG_NOSIGNAL);
        return count < 0 ? 0 : static_cast<std::size_t>(count);
    }

    void send(const bytes& frame) { write(with_header(frame)); }

    /// The next frame, or nothing where none comes in time or the switch closed its end.
    std::optional<bytes> receive(std::chrono::milliseconds within = patience) {
        while (true) {
            if (const auto frame = splitter_.next()) {
                return bytes(frame->bytes().begin(), frame->bytes().end());
            }
            BOOST_TEST_REQUIRE((splitter_.violation() == framing_error::none));
            if (!ready(POLLIN, within)) {
                return std::nullopt;
            }
            const auto count = ::recv(fd(), buffer_.data(), buffer_.size(), 0);
            if (count <= 0) {
                return std::nullopt;
            }
            splitter_.feed(std::span(buffer_).first(static_cast<std::size_t>(count)));
        }
    }

    /// The number in the next frame.
    std::optional<std::uint32_t> receive_number(std::chrono::milliseconds within = patience) {
        const auto frame = receive(within);
        if (!frame) {
            return std::nullopt;
        }
        std::uint32_t number = 0;
        std::memcpy(&number, frame->data() + 14, sizeof number);
        return number;
    }

    [[nodiscard]] bool ready(short events, std::chrono::milliseconds within) const {
        pollfd waiting{fd(), events, 0};
        return ::poll(&waiting, 1, static_cast<int>(within.count())) == 1;
    }

    [[nodiscard]] int fd() const { return socket_.get(); }
    void hang_up() { socket_.reset(); }

private:
    unique_fd socket_;
    stream_splitter splitter_;
    bytes buffer_ = bytes(1U << 17U);
};

/// Waits for something that the switch's thread does on its own.
template <class Condition>
bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) {
            return false;
        }
        std::this_thread::sleep_for(1ms);
    }
    return true;
}

struct three_on_a_lan {
    vmdsl::fabric net{lan_of({"a", "b", "c"})};
    station a{net.attach("a", 0)};
    station b{net.attach("b", 0)};
    station c{net.attach("c", 0)};

    /// A broadcast of `from` reaches `to`, and is the next thing that it reads.
    void proves_reach(station& from, std::uint8_t number_of_from, station& to) {
        from.send(a_frame(0, number_of_from, ++marker_));
        BOOST_TEST_REQUIRE(to.receive_number().value_or(0) == marker_);
    }

    std::uint32_t marker_ = 1U << 30U;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fabric)

BOOST_FIXTURE_TEST_CASE(floods_what_it_does_not_know_and_learns, three_on_a_lan) {
    a.send(a_frame(2, 1, 7));
    BOOST_TEST(b.receive_number().value_or(0) == 7U);
    BOOST_TEST(c.receive_number().value_or(0) == 7U);

    b.send(a_frame(1, 2, 8));
    a.send(a_frame(2, 1, 9));
    BOOST_TEST(a.receive_number().value_or(0) == 8U);
    BOOST_TEST(b.receive_number().value_or(0) == 9U);
    proves_reach(a, 1, c);  // so neither 8 nor 9 was sent there

    const auto counted = net.counters("lan");
    BOOST_TEST(counted.flooded == 2U);
    BOOST_TEST(counted.unicast == 2U);
    BOOST_TEST(net.link("a", "lan").counters.from_machine.forwarded == 3U);
    BOOST_TEST(net.link("a", "lan").counters.from_machine.bytes == 180U);
    BOOST_TEST(net.link("c", "lan").counters.to_machine.forwarded == 2U);
}

BOOST_AUTO_TEST_SUITE_END()
