// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/port_probe.hpp>

#include <unit/guest/fake_agent.hpp>

namespace {

using namespace vmdsl;
using detail::port_state;
using wire::frame_type;

struct probe : fake::conversation {
    /// How the agent answers each connection that is asked of it.
    using answers = std::function<void(std::uint32_t stream)>;

    detail::port_look look(std::size_t connections, const answers& answer, deadline until = fake::soon()) {
        auto looking = std::async(std::launch::async, [&] { return detail::look_at_port(*client, 22, until); });
        for (std::size_t i = 0; i < connections; ++i) {
            answer(agent->next(frame_type::open).header.stream);
        }
        return looking.get();
    }
    void fail(std::uint32_t stream, int error_number, std::string_view text = {}) {
        agent->send(frame_type::failed, stream,
                    payload_builder{}
                        .u32(wire::tag::error_number, static_cast<std::uint32_t>(error_number))
                        .text(wire::tag::error_text, text));
    }
};

BOOST_FIXTURE_TEST_SUITE(port_probe_test, probe)

BOOST_AUTO_TEST_CASE(a_service_that_accepts_is_open) {
    const auto seen = look(1, [&](std::uint32_t stream) {
        agent->send(frame_type::opened, stream);
        BOOST_TEST(agent->next(frame_type::close).header.stream == stream);
        agent->send(frame_type::exit, stream);
    });
    BOOST_TEST((seen.state == port_state::open));
}

BOOST_AUTO_TEST_CASE(one_that_accepts_and_resets_is_open_too) {
    const auto seen = look(1, [&](std::uint32_t stream) {
        agent->send(frame_type::opened, stream);
        fail(stream, ECONNRESET);
    });
    BOOST_TEST((seen.state == port_state::open));
}

BOOST_AUTO_TEST_CASE(only_what_both_protocols_refuse_is_closed) {
    for (const auto why : {ECONNREFUSED, EADDRNOTAVAIL, EAFNOSUPPORT, ENETUNREACH}) {
        BOOST_TEST((look(2, [&](std::uint32_t stream) { fail(stream, why); }).state == port_state::closed));
    }
    int asked = 0;
    const auto seen = look(2, [&](std::uint32_t stream) {
        if (++asked == 1) {
            fail(stream, ECONNREFUSED);
        } else {
            agent->send(frame_type::opened, stream);
            agent->send(frame_type::exit, stream);
        }
    });
    BOOST_TEST((seen.state == port_state::open));
}

// A firewall that drops, an agent that is at its limits, one that is lost: none of them has closed the port.
BOOST_AUTO_TEST_CASE(what_fails_otherwise_says_nothing_of_the_port) {
    for (const auto why : {ETIMEDOUT, EMFILE, ECONNRESET}) {
        int asked = 0;
        const auto seen =
            look(2, [&](std::uint32_t stream) { fail(stream, ++asked == 1 ? why : ECONNREFUSED, "the reason"); });
        BOOST_TEST((seen.state == port_state::unknown));
        BOOST_TEST(seen.problem == "connecting failed: the reason");
    }
}

BOOST_AUTO_TEST_CASE(an_agent_that_does_not_answer_says_nothing_of_the_port) {
    const auto seen = look(
        1, [](std::uint32_t) {}, deadline::in(std::chrono::milliseconds(1)));
    BOOST_TEST((seen.state == port_state::unknown));
    BOOST_TEST(seen.problem == "connecting neither succeeded nor failed");
}

// It was opened in time, but nobody hears of its end: the wait keeps to its deadline.
BOOST_AUTO_TEST_CASE(a_connection_without_an_end_says_nothing_either) {
    const auto began = deadline::clock::now();
    const auto seen = look(
        1, [&](std::uint32_t stream) { agent->send(frame_type::opened, stream); },
        deadline::in(std::chrono::milliseconds(300)));
    BOOST_TEST((seen.state == port_state::unknown));
    BOOST_TEST((deadline::clock::now() - began < std::chrono::seconds(15)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
