// SPDX-License-Identifier: BSL-1.0
#include <random>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/qemu/qmp_codec.hpp>

using vmdsl::qmp_codec;
using kind = vmdsl::qmp_message::kind;

BOOST_AUTO_TEST_SUITE(qmp_codec_test)

BOOST_AUTO_TEST_CASE(a_conversation) {
    qmp_codec codec;
    const auto messages = codec.feed(
        "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
        "{\"return\": {\"running\": true}, \"id\": 7}\r\n"
        "{\"id\": 8, \"error\": {\"class\": \"GenericError\", \"desc\": \"no such thing\"}}\r\n"
        "{\"timestamp\": {\"seconds\": 1, \"microseconds\": 2}, \"event\": \"RESET\", \"data\": {\"guest\": "
        "true}}\r\n");
    BOOST_REQUIRE_EQUAL(messages.size(), 4U);
    BOOST_TEST((messages[0].what == kind::greeting));
    BOOST_TEST((messages[1].what == kind::result));
    BOOST_TEST(messages[1].id == 7U);
    BOOST_TEST(messages[1].body.at("running").as_bool());
    BOOST_TEST((messages[2].what == kind::failure));
    BOOST_TEST(messages[2].id == 8U);
    BOOST_TEST(messages[2].text == "no such thing");
    BOOST_TEST((messages[3].what == kind::event));
    BOOST_TEST(messages[3].text == "RESET");
    BOOST_TEST(messages[3].body.at("guest").as_bool());
}

BOOST_AUTO_TEST_CASE(a_message_may_come_byte_by_byte) {
    qmp_codec codec;
    const std::string line = "{\"return\": {}, \"id\": 1}\r\n";
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
        BOOST_TEST(codec.feed(line.substr(i, 1)).empty());
    }
    BOOST_TEST(codec.feed(line.substr(line.size() - 1)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_no_qmp_is_garbage_and_does_not_stop_the_rest) {
    qmp_codec codec;
    const auto messages =
        codec.feed("hello\n[1,2]\n{\"return\": {}, \"id\": -3}\n{}\n\n{\"event\": 5}\n{\"return\": 1, \"id\": 2}\n");
    BOOST_REQUIRE_EQUAL(messages.size(), 6U);
    BOOST_TEST((messages[0].what == kind::garbage));
    BOOST_TEST(messages[0].text == "hello");
    BOOST_TEST((messages[1].what == kind::garbage));
    BOOST_TEST(messages[2].id == 0U);
    BOOST_TEST((messages[3].what == kind::garbage));
    BOOST_TEST((messages[4].what == kind::garbage));
    BOOST_TEST(messages[5].id == 2U);
}

BOOST_AUTO_TEST_CASE(a_line_without_end_takes_bounded_memory) {
    qmp_codec codec;
    const std::string piece(1U << 20, 'x');
    std::size_t garbage = 0;
    for (int i = 0; i < 20; ++i) {
        garbage += codec.feed(piece).size();
    }
    BOOST_TEST(garbage == 1U);
    const auto messages = codec.feed("\n{\"return\": {}, \"id\": 4}\n");
    BOOST_REQUIRE_EQUAL(messages.size(), 1U);
    BOOST_TEST(messages[0].id == 4U);
}

BOOST_AUTO_TEST_CASE(random_bytes_never_throw) {
    std::mt19937 random(1);
    qmp_codec codec;
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (auto i = random() % 60; i > 0; --i) {
            const std::string pool = "{}[]\":,0123456789truefalsenull\\u\n\r eventreturniderror";
            bytes += random() % 4 == 0 ? static_cast<char>(random() & 0xff) : pool[random() % pool.size()];
        }
        BOOST_CHECK_NO_THROW((void)codec.feed(bytes));
    }
}

BOOST_AUTO_TEST_CASE(commands_are_one_line) {
    BOOST_TEST(qmp_codec::command(3, "stop", {}) == "{\"execute\":\"stop\",\"id\":3}\n");
    const auto line = qmp_codec::command(4, "migrate", {{"uri", "fd:a\nb"}});
    BOOST_TEST(line.find('\n') == line.size() - 1);
    BOOST_TEST(line.find("\"arguments\":{\"uri\":\"fd:a\\nb\"}") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
