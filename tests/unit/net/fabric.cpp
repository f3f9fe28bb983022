// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
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

BOOST_FIXTURE_TEST_CASE(a_frame_comes_out_whole_at_every_place_where_its_bytes_are_cut, three_on_a_lan) {
    const bytes frame = with_header(a_frame(2, 1, 1, 64));
    for (std::size_t cut = 1; cut != frame.size(); ++cut) {
        a.write(bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(cut)));
        proves_reach(b, 2, c);  // the switch has gone around once
        a.write(bytes(frame.begin() + static_cast<std::ptrdiff_t>(cut), frame.end()));
        BOOST_TEST_REQUIRE((b.receive().value() == a_frame(2, 1, 1, 64)));
    }
}

BOOST_FIXTURE_TEST_CASE(frames_of_any_length_pass_unchanged, three_on_a_lan) {
    b.send(a_frame(0, 2));
    for (const std::size_t size : {18U, 42U, 60U, 1514U, 1518U, 9014U, 65014U, 69632U}) {
        const bytes frame = a_frame(2, 1, static_cast<std::uint32_t>(size), size);
        a.send(frame);
        BOOST_TEST((b.receive().value() == frame));
    }
    bytes tagged = a_frame(2, 1, 5, 64);
    tagged[12] = std::byte{0x81};
    tagged[13] = std::byte{0x00};
    a.send(tagged);
    BOOST_TEST((b.receive().value() == tagged));
}

BOOST_FIXTURE_TEST_CASE(a_runt_is_dropped_and_counted_and_the_port_stays, three_on_a_lan) {
    for (std::size_t size = 1; size != 14; ++size) {
        a.write(with_header(bytes(size)));
    }
    proves_reach(a, 1, b);
    BOOST_TEST(net.link("a", "lan").counters.from_machine.runts == 13U);
    BOOST_TEST(net.link("a", "lan").attached);
}

BOOST_FIXTURE_TEST_CASE(a_cut_link_loses_frames_both_ways_and_keeps_taking_them, three_on_a_lan) {
    proves_reach(b, 2, a);
    BOOST_TEST(c.receive_number().has_value());
    net.cut("b", "lan");
    BOOST_TEST(net.link("b", "lan").cut);

    a.send(a_frame(2, 1, 1));  // known, unicast
    a.send(a_frame(0, 1, 2));
    BOOST_TEST(c.receive_number().value_or(0) == 2U);
    const bytes long_frame = with_header(a_frame(1, 2, 3, 60000));
    for (int i = 0; i != 100; ++i) {  // far more than the socket holds
        b.write(long_frame);
    }
    b.send(a_frame(0, 2, 4));
    BOOST_TEST(comes_true([&] { return net.link("b", "lan").counters.from_machine.cut == 101U; }));
    BOOST_TEST(net.link("b", "lan").counters.to_machine.cut == 2U);

    net.heal("b", "lan");
    BOOST_TEST(!net.link("b", "lan").cut);
    a.send(a_frame(2, 1, 5));
    BOOST_TEST(b.receive_number().value_or(0) == 5U);
    b.send(a_frame(1, 2, 6));
    BOOST_TEST(a.receive_number().value_or(0) == 6U);
    proves_reach(a, 1, c);
}

BOOST_FIXTURE_TEST_CASE(what_a_cut_link_loses_is_not_learnt, three_on_a_lan) {
    net.cut("c");
    c.send(a_frame(0, 2, 1));  // pretends to be station 2
    BOOST_TEST(comes_true([&] { return net.link("c", "lan").counters.from_machine.cut == 1U; }));
    b.send(a_frame(0, 2, 2));
    BOOST_TEST(a.receive_number().value_or(0) == 2U);
    BOOST_TEST(net.counters("lan").moves == 0U);
    net.heal("c");
    proves_reach(a, 1, c);
}

BOOST_FIXTURE_TEST_CASE(a_frame_of_no_bytes_takes_down_its_own_port_only, three_on_a_lan) {
    a.send(a_frame(0, 1, 1));
    a.write(bytes(4));
    a.write_some(with_header(a_frame(0, 1, 2)));
    BOOST_TEST(b.receive_number().value_or(0) == 1U);
    BOOST_TEST(c.receive_number().value_or(0) == 1U);
    BOOST_TEST(comes_true([&] { return !net.link("a", "lan").attached; }));
    BOOST_TEST(net.link("a", "lan").down_because.find("no bytes") != std::string::npos);
    proves_reach(b, 2, c);
    proves_reach(c, 3, b);
    BOOST_TEST(!a.receive().has_value());

    a = station(net.attach("a", 0));
    BOOST_TEST(net.link("a", "lan").attached);
    BOOST_TEST(net.link("a", "lan").down_because.empty());
    proves_reach(a, 1, b);
}

BOOST_FIXTURE_TEST_CASE(a_frame_too_long_for_qemu_takes_down_its_own_port_only, three_on_a_lan) {
    a.write(bytes{std::byte{0}, std::byte{1}, std::byte{0x10}, std::byte{1}});  // 69633
    BOOST_TEST(comes_true([&] { return !net.link("a", "lan").attached; }));
    BOOST_TEST(net.link("a", "lan").down_because.find("69632") != std::string::npos);
    proves_reach(b, 2, c);
}

BOOST_FIXTURE_TEST_CASE(a_machine_that_does_not_read_holds_up_nobody, three_on_a_lan) {
    constexpr std::uint32_t count = 4000;
    const std::size_t size = 1500;
    for (std::uint32_t i = 0; i != count; ++i) {
        a.send(a_frame(0, 1, i, size));
        if (i % 50 == 49) {
            for (std::uint32_t expected = i - 49; expected <= i; ++expected) {
                BOOST_TEST_REQUIRE(b.receive_number().value_or(count) == expected);
            }
        }
    }
    proves_reach(b, 2, a);
    const auto stuck = net.link("c", "lan").counters.to_machine;
    BOOST_TEST(stuck.queue_drops > 0U);
    BOOST_TEST(stuck.forwarded + stuck.queue_drops == count + 1);
    BOOST_TEST(stuck.forwarded >= 1000U);
    BOOST_TEST(net.link("b", "lan").counters.to_machine.queue_drops == 0U);

    // What was queued comes, in order and whole, once the machine reads.
    for (std::uint64_t expected = 0; expected != stuck.forwarded; ++expected) {
        BOOST_TEST_REQUIRE(c.receive_number().value_or(count) == expected);
    }
    proves_reach(a, 1, c);
}

BOOST_FIXTURE_TEST_CASE(many_short_frames_at_once_do_not_overflow_a_reader_that_reads, three_on_a_lan) {
    constexpr std::uint32_t count = 3000;
    b.send(a_frame(0, 2));
    BOOST_TEST(a.receive().has_value());
    bytes burst;
    for (std::uint32_t i = 0; i != count; ++i) {
        const bytes one = with_header(a_frame(2, 1, i, 18));
        burst.insert(burst.end(), one.begin(), one.end());
    }
    a.write(burst);
    for (std::uint32_t i = 0; i != count; ++i) {
        BOOST_TEST_REQUIRE(b.receive_number().value_or(count) == i);
    }
    BOOST_TEST(net.link("b", "lan").counters.to_machine.queue_drops == 0U);
}

BOOST_FIXTURE_TEST_CASE(pausing_leaves_frames_in_their_sockets_and_resuming_forwards_them, three_on_a_lan) {
    net.pause();
    net.pause();
    BOOST_TEST(net.paused());
    a.send(a_frame(0, 1, 1));
    a.send(a_frame(0, 1, 2));
    BOOST_TEST(!b.ready(POLLIN, 50ms));
    BOOST_TEST(net.link("a", "lan").counters.from_machine.forwarded == 0U);
    net.resume();
    net.resume();
    BOOST_TEST(!net.paused());
    BOOST_TEST(b.receive_number().value_or(0) == 1U);
    BOOST_TEST(b.receive_number().value_or(0) == 2U);
    BOOST_TEST(c.receive_number().value_or(0) == 1U);
}

BOOST_FIXTURE_TEST_CASE(draining_reads_to_the_last_whole_frame_and_keeps_the_rest, three_on_a_lan) {
    BOOST_CHECK_THROW(net.drain_to_whole_frames(), usage_error);
    net.pause();
    const bytes third = with_header(a_frame(0, 1, 3));
    a.send(a_frame(0, 1, 1));
    a.send(a_frame(0, 1, 2));
    a.write(bytes(third.begin(), third.begin() + 30));
    b.send(a_frame(0, 2, 4));

    const auto drained = net.drain_to_whole_frames();
    BOOST_TEST(drained.frames == 3U);
    BOOST_TEST(drained.waiting == 0U);
    BOOST_TEST((drained.inside_frame == std::vector<link_name>{{"a", "lan"}}));
    BOOST_TEST(drained.still_writing.empty());
    BOOST_TEST(c.receive_number().value_or(0) == 1U);
    BOOST_TEST(net.paused());
    BOOST_TEST(net.drain_to_whole_frames().frames == 0U);

    a.write(bytes(third.begin() + 30, third.end()));  // the machine goes on
    net.resume();
    BOOST_TEST(b.receive_number().value_or(0) == 1U);
    BOOST_TEST(b.receive_number().value_or(0) == 2U);
    BOOST_TEST(b.receive_number().value_or(0) == 3U);
    BOOST_TEST(a.receive_number().value_or(0) == 4U);
}

BOOST_FIXTURE_TEST_CASE(draining_counts_what_a_full_reader_could_not_take, three_on_a_lan) {
    net.pause();
    constexpr std::uint32_t count = 600;
    std::uint64_t drained = 0;
    drain_report last;
    for (std::uint32_t i = 0; i != count; ++i) {
        a.send(a_frame(2, 1, i, 1500));
        if (i % 50 == 49) {
            last = net.drain_to_whole_frames();
            drained += last.frames;
        }
    }
    BOOST_TEST(drained == count);
    BOOST_TEST(last.waiting > 0U);  // unknown destination: b's and c's sockets are both full
    net.resume();
    for (std::uint32_t i = 0; i != count; ++i) {
        BOOST_TEST_REQUIRE(b.receive_number().value_or(count) == i);
    }
}

BOOST_FIXTURE_TEST_CASE(a_machine_that_was_not_stopped_cannot_hold_up_draining, three_on_a_lan) {
    net.pause();
    std::atomic<bool> stop{false};
    const bytes flood = [] {
        bytes all;
        for (int i = 0; i != 20; ++i) {
            const bytes one = with_header(a_frame(2, 1, 1, 60000));
            all.insert(all.end(), one.begin(), one.end());
        }
        return all;
    }();
    std::thread writer([&] {
        std::size_t at = 0;
        while (!stop) {
            const auto sent = ::send(a.fd(), flood.data() + at, flood.size() - at, MSG_NOSIGNAL);
            at = sent > 0 ? (at + static_cast<std::size_t>(sent)) % flood.size() : at;
        }
    });
    // Whether the writer keeps up with the reader is up to the scheduler; that draining ends is not.
    for (int i = 0; i != 20; ++i) {
        const auto drained = net.drain_to_whole_frames();
        BOOST_TEST(drained.frames * 60004 <= (9U << 20U));
        for (const link_name& endless : drained.still_writing) {
            BOOST_TEST((endless == link_name{"a", "lan"}));
        }
    }
    stop = true;
    writer.join();
}

BOOST_FIXTURE_TEST_CASE(a_restarted_machine_attaches_again, three_on_a_lan) {
    proves_reach(b, 2, a);
    BOOST_TEST(c.receive_number().has_value());
    const bytes half = with_header(a_frame(0, 2, 1));
    b.write(bytes(half.begin(), half.begin() + 20));
    proves_reach(c, 3, a);

    station again{net.attach("b", 0)};
    while (b.receive()) {
    }
    a.send(a_frame(2, 1, 7));  // was known on the old port: must be flooded again, or reach the new one
    BOOST_TEST(again.receive_number().value_or(0) == 7U);
    again.send(a_frame(1, 2, 8));
    BOOST_TEST(a.receive_number().value_or(0) == 8U);
    BOOST_TEST(net.link("b", "lan").counters.from_machine.socket_drops == 1U);
}

BOOST_FIXTURE_TEST_CASE(frames_that_waited_for_a_machine_that_goes_are_counted, three_on_a_lan) {
    for (std::uint32_t i = 0; i != 500; ++i) {
        a.send(a_frame(0, 1, i, 1500));
        BOOST_TEST_REQUIRE(b.receive().has_value());
    }
    c.hang_up();
    BOOST_TEST(comes_true([&] { return !net.link("c", "lan").attached; }));
    BOOST_TEST(net.link("c", "lan").counters.to_machine.socket_drops > 0U);
    BOOST_TEST(!net.link("c", "lan").down_because.empty());
    proves_reach(a, 1, b);
}

BOOST_FIXTURE_TEST_CASE(the_last_frames_of_a_machine_that_goes_are_delivered, three_on_a_lan) {
    for (std::uint32_t round = 1; round != 50; ++round) {
        a.send(a_frame(0, 1, round));
        a.hang_up();
        b.send(a_frame(1, 2, 0));  // may find the reader gone
        BOOST_TEST_REQUIRE(b.receive_number().value_or(0) == round);
        a = station(net.attach("a", 0));
    }
}

BOOST_FIXTURE_TEST_CASE(a_detached_machine_gets_nothing_and_sends_nothing, three_on_a_lan) {
    proves_reach(b, 2, a);
    BOOST_TEST(c.receive_number().has_value());
    net.detach("b", 0);
    net.detach("b");
    BOOST_TEST(!b.receive().has_value());
    BOOST_TEST(!net.link("b", "lan").attached);
    BOOST_TEST(net.link("b", "lan").down_because.empty());
    a.send(a_frame(2, 1, 3));
    BOOST_TEST(c.receive_number().value_or(0) == 3U);  // flooded: where 2 was is forgotten
}

BOOST_FIXTURE_TEST_CASE(a_machine_that_is_added_is_reached_and_reaches_the_others, three_on_a_lan) {
    machine_plan late;
    late.name = "late";
    late.segments = {"lan"};
    BOOST_CHECK_THROW((void)net.attach("late", 0), usage_error);
    net.add(late);
    net.add(late);  // once more changes nothing
    BOOST_TEST(net.links().size() == 4U);
    station d{net.attach("late", 0)};
    proves_reach(d, 4, a);
    proves_reach(a, 1, d);
    net.cut("late", "lan");
    BOOST_TEST(net.link("late", "lan").cut);
    net.heal("late");
    proves_reach(b, 2, d);
}

BOOST_AUTO_TEST_CASE(segments_are_apart_and_each_card_has_its_own_link) {
    network_plan plan = lan_of({"a", "router"});
    plan.segments = {"lan", "dmz"};
    plan.machines[1].segments = {"dmz", "lan"};
    machine_plan island;
    island.name = "island";
    plan.machines.push_back(island);
    vmdsl::fabric net(plan);
    station a(net.attach("a", 0));
    station router_dmz(net.attach("router", 0));
    station router_lan(net.attach("router", 1));
    a.send(a_frame(0, 1, 1));
    BOOST_TEST(router_lan.receive_number().value_or(0) == 1U);
    BOOST_TEST(!router_dmz.ready(POLLIN, 20ms));

    const auto links = net.links();
    BOOST_TEST_REQUIRE(links.size() == 3U);
    BOOST_TEST((links[1].name == link_name{"router", "dmz"}));
    net.cut("router");
    BOOST_TEST(net.link("router", "lan").cut);
    BOOST_TEST(net.link("router", "dmz").cut);
    BOOST_TEST(!net.link("a", "lan").cut);

    net.detach("island");
    BOOST_CHECK_THROW(net.cut("island"), usage_error);
    BOOST_CHECK_THROW(net.heal("nobody"), usage_error);
    BOOST_CHECK_THROW(net.cut("a", "dmz"), usage_error);
    BOOST_CHECK_THROW((void)net.attach("a", 1), usage_error);
    BOOST_CHECK_THROW((void)net.counters("wan"), usage_error);
}

BOOST_FIXTURE_TEST_CASE(what_is_cut_is_saved_and_restored_exactly, three_on_a_lan) {
    net.cut("a");
    net.cut("c");
    const fabric_state saved = net.save();
    BOOST_TEST((saved.cut_links == std::vector<link_name>{{"a", "lan"}, {"c", "lan"}}));
    net.heal("a");
    net.cut("b");
    net.restore(saved);
    BOOST_TEST((net.save() == saved));

    BOOST_CHECK_THROW(net.restore({{{"b", "lan"}, {"z", "lan"}}}), usage_error);
    BOOST_TEST((net.save() == saved));
    net.restore({});
    BOOST_TEST(net.save().cut_links.empty());
    proves_reach(a, 1, c);
}

BOOST_FIXTURE_TEST_CASE(restoring_forgets_where_stations_were, three_on_a_lan) {
    proves_reach(b, 2, a);
    BOOST_TEST(c.receive_number().has_value());
    net.restore(net.save());
    a.send(a_frame(2, 1, 9));
    BOOST_TEST(c.receive_number().value_or(0) == 9U);
}

BOOST_FIXTURE_TEST_CASE(hostile_bytes_hurt_only_their_sender, three_on_a_lan) {
    std::mt19937 random(11);
    for (int round = 0; round != 200; ++round) {
        bytes noise(2 + random() % 5000);
        std::generate(noise.begin(), noise.end(), [&] { return static_cast<std::byte>(random()); });
        if (round % 2 == 0) {  // lengths that are believable
            noise[0] = noise[1] = std::byte{0};
        }
        a.write_some(noise);
        if (!net.link("a", "lan").attached) {
            a = station(net.attach("a", 0));
        }
        c.send(a_frame(2, 3, 1));
        while (b.receive().value() != a_frame(2, 3, 1)) {
        }
    }
    a = station(net.attach("a", 0));
    BOOST_TEST(net.link("b", "lan").attached);
    BOOST_TEST(net.link("c", "lan").attached);
    while (b.ready(POLLIN, 50ms)) {
        BOOST_TEST_REQUIRE(b.receive().has_value());
    }
    proves_reach(a, 1, b);
}

BOOST_FIXTURE_TEST_CASE(qemus_end_is_not_inherited_by_other_programs_and_never_blocks, three_on_a_lan) {
    const unique_fd end = net.attach("a", 0);
    BOOST_TEST((::fcntl(end.get(), F_GETFD) & FD_CLOEXEC) != 0);
    BOOST_TEST((::fcntl(end.get(), F_GETFL) & O_NONBLOCK) != 0);
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        const int fd = std::stoi(entry.path().filename());
        if (std::filesystem::is_socket(std::filesystem::status(entry.path()))) {
            BOOST_TEST((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(every_function_can_be_called_from_any_thread, three_on_a_lan) {
    std::atomic<bool> stop{false};
    std::vector<std::thread> callers;
    for (int i = 0; i != 3; ++i) {
        callers.emplace_back([this, i, &stop] {
            const char* const name = i == 0 ? "a" : i == 1 ? "b" : "c";
            while (!stop) {
                net.cut(name);
                (void)net.links();
                net.restore(net.save());
                net.pause();
                (void)net.paused();
                net.resume();
                net.heal(name);
                (void)net.counters("lan");
            }
        });
    }
    for (std::uint32_t i = 0; i != 2000; ++i) {
        a.send(a_frame(0, 1, i));
        b.send(a_frame(1, 2, i));
        while (c.ready(POLLIN, 0ms)) {
            BOOST_TEST_REQUIRE(c.receive().has_value());
        }
        while (a.ready(POLLIN, 0ms)) {
            BOOST_TEST_REQUIRE(a.receive().has_value());
        }
    }
    stop = true;
    for (std::thread& caller : callers) {
        caller.join();
    }
    const auto sent = net.link("a", "lan").counters.from_machine;
    BOOST_TEST(comes_true([&] {
        const auto now = net.link("a", "lan").counters.from_machine;
        return now.forwarded + now.cut == 2000U;
    }));
    BOOST_TEST(sent.runts == 0U);
}

BOOST_FIXTURE_TEST_CASE(signals_are_left_to_the_threads_that_were_there_before, three_on_a_lan) {
    bool found = false;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        if (name != "vmdsl-net") {
            continue;
        }
        found = true;
        std::ifstream status(task.path() / "status");
        std::string line;
        while (std::getline(status, line) && line.rfind("SigBlk:", 0) != 0) {
        }
        const auto blocked = std::stoull(line.substr(line.find_first_not_of("\t ", 7)), nullptr, 16);
        for (const int signal : {SIGINT, SIGTERM, SIGCHLD, SIGALRM, SIGHUP}) {
            BOOST_TEST((blocked >> (signal - 1) & 1U) == 1U);
        }
    }
    BOOST_TEST(found);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_a_network_that_is_gone) {
    const auto count = [](const char* folder) {
        return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
    };
    { vmdsl::fabric first(lan_of({"a"})); }  // whatever the libraries open once
    const auto fds = count("/proc/self/fd");
    const auto threads = count("/proc/self/task");
    for (int round = 0; round != 200; ++round) {
        vmdsl::fabric net(lan_of({"a", "b"}));
        station a(net.attach("a", 0));
        station b(net.attach("b", 0));
        a.send(a_frame(0, 1, 1));
        if (round % 2 == 0) {
            BOOST_TEST_REQUIRE(b.receive_number().value_or(0) == 1U);
        }
        if (round % 3 == 0) {
            net.pause();
        }
        if (round % 5 == 0) {
            b.hang_up();
        }
    }
    BOOST_TEST(count("/proc/self/fd") == fds);
    BOOST_TEST(comes_true([&] { return count("/proc/self/task") == threads; }));
}

BOOST_AUTO_TEST_CASE(a_plan_that_cannot_be_addressed_is_refused) {
    network_plan plan = lan_of({"a"});
    plan.segments.clear();
    BOOST_CHECK_THROW(vmdsl::fabric{plan}, usage_error);
}

BOOST_AUTO_TEST_SUITE_END()
