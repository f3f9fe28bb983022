// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event_stream.hpp>

namespace {

using vmdsl::event_kind;
using namespace std::chrono_literals;

std::optional<vmdsl::event> round_trip(const vmdsl::event& e) {
    return vmdsl::parse_json_line(to_json_line(e));
}

/// A pipe whose writing end receives this process' events.
class event_pipe {
public:
    event_pipe() {
        BOOST_REQUIRE(::pipe2(ends_.data(), O_CLOEXEC) == 0);
        vmdsl::set_event_descriptor(ends_[1]);
    }
    ~event_pipe() {
        vmdsl::set_event_descriptor(-1);
        close_reader();
        close_writer();
    }
    event_pipe(const event_pipe&) = delete;
    event_pipe& operator=(const event_pipe&) = delete;

    [[nodiscard]] int reader() const { return ends_[0]; }
    [[nodiscard]] int writer() const { return ends_[1]; }
    void close_reader() { close_end(0); }
    void close_writer() { close_end(1); }

    std::string read_some(std::size_t limit) {
        std::string buffer(limit, '\0');
        const auto count = ::read(ends_[0], buffer.data(), buffer.size());
        buffer.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return buffer;
    }

    std::string read_until_closed() {
        std::string all;
        for (auto part = read_some(65536); !part.empty(); part = read_some(65536)) {
            all += part;
        }
        return all;
    }

private:
    void close_end(std::size_t index) {
        if (ends_[index] >= 0) {
            ::close(std::exchange(ends_[index], -1));
        }
    }

    std::array<int, 2> ends_{-1, -1};
};

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event_stream)

BOOST_AUTO_TEST_CASE(an_event_is_one_line_of_json) {
    vmdsl::event e{81234567890ns, event_kind::command, "client", {{"text", std::string("true")}, {"seconds", 0.25}}};
    BOOST_TEST(to_json_line(e) ==
               R"({"at":81234567890,"event":"command","machine":"client","fields":{"text":"true","seconds":0.25}})");
    BOOST_TEST(to_json_line(vmdsl::event{}) == R"({"at":0,"event":"run_begin","fields":{}})");
}

BOOST_AUTO_TEST_CASE(a_line_reads_back_to_the_same_event) {
    vmdsl::event e{-5ns, event_kind::evidence, "web\"server", {}};
    e.fields = {{"text", std::string("a \"quoted\" \\ \x1B[0m\r\n\tline \xC3\xBC \xC2\x9B")},
                {"", std::string()},
                {"low", std::int64_t{INT64_MIN}},
                {"high", std::int64_t{INT64_MAX}},
                {"real", 0.1},
                {"whole", 3.0},
                {"yes", true},
                {"no", false}};
    const auto back = round_trip(e);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->at.count() == -5);
    BOOST_TEST(to_string(back->kind) == "evidence");
    BOOST_TEST(back->machine == e.machine);
    BOOST_TEST((back->fields == e.fields));
}

BOOST_AUTO_TEST_CASE(every_kind_reads_back) {
    for (int i = 0; i <= static_cast<int>(event_kind::run_end); ++i) {
        const auto back = round_trip({1ns, static_cast<event_kind>(i), "", {}});
        BOOST_REQUIRE(back.has_value());
        BOOST_TEST(static_cast<int>(back->kind) == i);
    }
}

BOOST_AUTO_TEST_CASE(hostile_bytes_survive_as_text) {
    vmdsl::event e{1ns, event_kind::evidence, "web", {{"console", std::string("\xFF\xC3(\0]]>", 7)}}};
    const auto back = round_trip(e);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->text("console") == std::string_view("\\xff\\xc3(\0]]>", 13));
}

BOOST_AUTO_TEST_CASE(random_bytes_never_break_a_line) {
    std::mt19937 random(20240131);
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (auto length = random() % 64; length > 0; --length) {
            bytes += static_cast<char>(random() % 256);
        }
        const vmdsl::event e{1ns, event_kind::note, bytes, {{bytes, bytes}}};
        const auto line = to_json_line(e);
        BOOST_REQUIRE(line.find('\n') == std::string::npos);
        const auto back = vmdsl::parse_json_line(line);
        BOOST_REQUIRE(back.has_value());
        BOOST_REQUIRE(to_json_line(*back) == to_json_line(*round_trip(*back)));
    }
}

BOOST_AUTO_TEST_CASE(numbers_that_are_not_finite_come_back_as_no_number) {
    const auto back = round_trip({1ns, event_kind::note, "", {{"seconds", HUGE_VAL}}});
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST(back->number("seconds", -1) == -1.0);
}

BOOST_AUTO_TEST_CASE(json_of_other_writers_is_read) {
    const auto e = vmdsl::parse_json_line(
        "  { \"fields\" : { \"text\" : \"\\ud83d\\ude00 \\u20ac\\u00fc\\u0041\\/\\b\\f\\n\\r\\t\" , \"n\" : -12 } ,"
        " \"event\" : \"note\", \"at\" : 3 } \n");
    BOOST_REQUIRE(e.has_value());
    BOOST_TEST(e->text("text") ==
               "\xF0\x9F\x98\x80 \xE2\x82\xAC\xC3\xBC"
               "A/\b\f\n\r\t");
    BOOST_TEST(e->number("n") == -12.0);
}

BOOST_AUTO_TEST_CASE(a_line_that_was_cut_off_anywhere_is_no_event) {
    const vmdsl::event e{7ns, event_kind::command, "web", {{"text", std::string("a\nb\xFF")}, {"seconds", 1e-9}}};
    const auto line = to_json_line(e);
    for (std::size_t length = 0; length < line.size(); ++length) {
        BOOST_TEST_CONTEXT("the first " << length << " bytes") {
            BOOST_TEST(!vmdsl::parse_json_line(line.substr(0, length)).has_value());
        }
    }
    BOOST_TEST(vmdsl::parse_json_line(line).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_event_is_refused) {
    for (const std::string_view line : {
             "",
             "null",
             "[]",
             "{}",
             R"({"at":1,"event":"note"})",
             R"({"at":1,"fields":{}})",
             R"({"event":"note","fields":{}})",
             R"({"at":1.5,"event":"note","fields":{}})",
             R"({"at":"1","event":"note","fields":{}})",
             R"({"at":99999999999999999999,"event":"note","fields":{}})",
             R"({"at":1,"event":"no such kind","fields":{}})",
             R"({"at":1,"event":"note","fields":[]})",
             R"({"at":1,"event":"note","fields":{},"more":1})",
             R"({"at":1,"event":"note","fields":{}}{})",
             R"({"at":1,"event":"note","fields":{},})",
             R"({"at":1,"at":1,"event":"note","fields":{}})",
             R"({"at":1,"event":"note","fields":{"x":{}}})",
             R"({"at":1,"event":"note","fields":{"x":[1]}})",
             R"({"at":1,"event":"note","fields":{"x":-}})",
             R"({"at":1,"event":"note","fields":{"x":1e}})",
             R"({"at":1,"event":"note","fields":{"x":1-2}})",
             R"({"at":1,"event":"note","fields":{"x":nan}})",
             R"({"at":1,"event":"note","fields":{"x":"\ud800"}})",
             R"({"at":1,"event":"note","fields":{"x":"\ud800\u0041"}})",
             R"({"at":1,"event":"note","fields":{"x":"\udc00"}})",
             R"({"at":1,"event":"note","fields":{"x":"\u12g4"}})",
             R"({"at":1,"event":"note","fields":{"x":"\u-123"}})",
             R"({"at":1,"event":"note","fields":{"x":"\q"}})",
             "{\"at\":1,\"event\":\"note\",\"fields\":{\"x\":\"\xFF\"}}",
             "{\"at\":1,\"event\":\"note\",\"fields\":{\"x\":\"\x01\"}}",
         }) {
        BOOST_TEST_CONTEXT(line) {
            BOOST_TEST(!vmdsl::parse_json_line(line).has_value());
        }
    }
}

BOOST_AUTO_TEST_CASE(mutated_lines_never_crash_the_reader) {
    std::mt19937 random(7);
    const auto line =
        vmdsl::to_json_line({7ns, event_kind::command, "web", {{"text", std::string("\x01\"x")}, {"s", 1.5}}});
    int still_events = 0;
    for (int round = 0; round < 20000; ++round) {
        auto mutated = line;
        for (auto changes = 1 + random() % 3; changes > 0; --changes) {
            mutated[random() % mutated.size()] = static_cast<char>(random() % 256);
        }
        still_events += vmdsl::parse_json_line(mutated).has_value() ? 1 : 0;
    }
    BOOST_TEST(still_events > 0);
    BOOST_TEST(still_events < 20000);
}

BOOST_AUTO_TEST_CASE(emitted_events_arrive_in_the_order_of_their_times) {
    event_pipe pipe;
    emit(event_kind::phase, "web", {{"text", "boot"}});
    emit(event_kind::phase_end, "web", {{"text", "boot"}, {"seconds", 1.5}});
    pipe.close_writer();
    const auto lines = lines_of(pipe.read_until_closed());
    BOOST_REQUIRE(lines.size() == 2U);
    const auto first = vmdsl::parse_json_line(lines[0]);
    const auto second = vmdsl::parse_json_line(lines[1]);
    BOOST_REQUIRE(first.has_value());
    BOOST_REQUIRE(second.has_value());
    BOOST_TEST(first->text("text") == "boot");
    BOOST_TEST(second->number("seconds") == 1.5);
    BOOST_TEST(first->at.count() > 0);
    BOOST_TEST(first->at.count() <= second->at.count());
}

BOOST_AUTO_TEST_CASE(events_without_a_descriptor_are_dropped) {
    vmdsl::set_event_descriptor(-1);
    emit(event_kind::note, "", {{"text", "nobody reads this"}});
    event_pipe pipe;
    emit(event_kind::note, "", {{"text", "this one is read"}});
    pipe.close_writer();
    BOOST_TEST(lines_of(pipe.read_until_closed()).size() == 1U);
}

BOOST_AUTO_TEST_CASE(lines_of_several_threads_never_mix) {
    constexpr int threads = 4;
    constexpr int events_each = 200;
    event_pipe pipe;
    std::vector<std::thread> writers;
    for (int thread = 0; thread < threads; ++thread) {
        writers.emplace_back([thread] {
            // Longer than a pipe writes at once, so that only a lock keeps the lines whole.
            const std::string padding(5000, static_cast<char>('a' + thread));
            for (int i = 0; i < events_each; ++i) {
                emit(event_kind::note, "", {{"id", std::int64_t{thread * events_each + i}}, {"padding", padding}});
            }
        });
    }
    std::string all;
    std::thread reader([&] { all = pipe.read_until_closed(); });
    for (auto& writer : writers) {
        writer.join();
    }
    pipe.close_writer();
    reader.join();

    std::set<std::int64_t> ids;
    std::int64_t last = 0;
    for (const auto& line : lines_of(all)) {
        const auto e = vmdsl::parse_json_line(line);
        BOOST_REQUIRE(e.has_value());
        BOOST_REQUIRE(e->at.count() >= last);
        last = e->at.count();
        ids.insert(static_cast<std::int64_t>(e->number("id")));
    }
    BOOST_TEST(ids.size() == static_cast<std::size_t>(threads * events_each));
}

BOOST_AUTO_TEST_CASE(a_descriptor_that_does_not_block_loses_nothing) {
    event_pipe pipe;
    BOOST_REQUIRE(::fcntl(pipe.writer(), F_SETFL, O_NONBLOCK) == 0);
    const std::string large(1 << 20, 'x');
    std::string all;
    std::thread reader([&] { all = pipe.read_until_closed(); });
    emit(event_kind::note, "", {{"text", large}});
    pipe.close_writer();
    reader.join();
    const auto e = vmdsl::parse_json_line(lines_of(all).at(0));
    BOOST_REQUIRE(e.has_value());
    BOOST_TEST(e->text("text").size() == large.size());
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_gone_loses_the_event_and_nothing_else) {
    struct sigaction default_action {};
    struct sigaction previous {};
    default_action.sa_handler = SIG_DFL;  // an unhandled SIGPIPE would end this test
    BOOST_REQUIRE(::sigaction(SIGPIPE, &default_action, &previous) == 0);
    event_pipe pipe;
    pipe.close_reader();
    emit(event_kind::note, "", {{"text", "into the void"}});
    sigset_t pending;
    BOOST_REQUIRE(::sigpending(&pending) == 0);
    BOOST_TEST(::sigismember(&pending, SIGPIPE) == 0);
    BOOST_REQUIRE(::sigaction(SIGPIPE, &previous, nullptr) == 0);
}

BOOST_AUTO_TEST_CASE(after_a_torn_line_the_next_event_has_a_line_of_its_own) {
    event_pipe pipe;
    std::string begin;
    std::thread reader([&] {
        begin = pipe.read_some(1);
        pipe.close_reader();
    });
    emit(event_kind::note, "", {{"text", std::string(1 << 20, 'x')}});
    reader.join();
    BOOST_REQUIRE(begin == "{");

    std::array<int, 2> fresh{};
    BOOST_REQUIRE(::pipe2(fresh.data(), O_CLOEXEC) == 0);
    BOOST_REQUIRE(::dup3(fresh[1], pipe.writer(), O_CLOEXEC) == pipe.writer());
    ::close(fresh[1]);
    emit(event_kind::note, "", {{"text", "whole"}});
    std::string text(4096, '\0');
    const auto count = ::read(fresh[0], text.data(), text.size());
    ::close(fresh[0]);
    BOOST_REQUIRE(count > 1);
    text.resize(static_cast<std::size_t>(count));
    BOOST_TEST(text.front() == '\n');
    BOOST_TEST(vmdsl::parse_json_line(text.substr(1)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
