// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/stream_queue.hpp>

#include <unit/guest/fake_agent.hpp>

namespace {

using namespace vmdsl;
using wire::frame_type;

struct copy : fake::conversation {
    stream_queue queue;
    std::shared_ptr<agent_stream> stream = client->write_tree("/copy", queue.sink());
};

BOOST_FIXTURE_TEST_SUITE(stream_queue_test, copy)

BOOST_AUTO_TEST_CASE(what_is_sent_arrives) {
    BOOST_TEST(queue.send(*stream, "content", fake::soon()));
    BOOST_TEST(agent->next(frame_type::data).payload.size() == 7U);
}

// Whoever copies would go on to the end of what it has, and might fail there for a reason of its own.
BOOST_AUTO_TEST_CASE(a_guest_that_has_failed_takes_nothing_more) {
    agent->send(frame_type::failed, agent->next(frame_type::open).header.stream,
                payload_builder{}.u32(wire::tag::error_number, ENOSPC));
    BOOST_TEST(stream->wait(fake::soon()).has_value());
    BOOST_TEST(!queue.send(*stream, "more", fake::soon()));
}

BOOST_AUTO_TEST_CASE(a_guest_that_grants_nothing_is_waited_for_until_the_deadline) {
    BOOST_TEST(queue.send(*stream, std::string(wire::initial_credit, 'x'), fake::soon()));
    BOOST_TEST(!queue.send(*stream, "more", deadline::in(std::chrono::milliseconds(1))));
}

BOOST_AUTO_TEST_CASE(a_stream_ends_with_its_scope) {
    { const scoped_stream scoped(stream); }
    BOOST_TEST(agent->next(frame_type::close).header.stream == stream->id());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
