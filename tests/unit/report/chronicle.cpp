// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/report/chronicle.hpp>

namespace {

namespace fs = std::filesystem;
using namespace vmdsl;

struct told {
    explicit told(const std::string& name)
        : folder(current_run().scratch_directory / name),
          chronicle((fs::create_directory(folder), folder), {"lab", "now", "host", {}},
                    terminal_log(out, verbosity::normal, false)) {}

    void happens(event_kind kind, std::vector<std::pair<std::string, event::value>> fields,
                 const std::string& machine = {}) {
        BOOST_TEST(chronicle.take_line(to_json_line({{}, kind, machine, std::move(fields)})).has_value());
    }

    [[nodiscard]] std::string content_of(const std::string& file) const {
        std::ifstream in(folder / file);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    fs::path folder;
    std::ostringstream out;
    detail::chronicle chronicle;
};

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chronicle)

BOOST_AUTO_TEST_CASE(an_event_reaches_everyone) {
    told t("reaches");
    t.happens(event_kind::case_begin, {{"name", std::string("a")}});
    t.happens(event_kind::case_end, {{"name", std::string("a")}, {"seconds", 1.0}, {"passed", true}});
    BOOST_TEST(t.chronicle.record().counts().passed == 1U);
    BOOST_TEST(contains(t.out.str(), "ok       a  1.000 s"));
    t.chronicle.save();
    BOOST_TEST(contains(t.content_of("junit.xml"), "name=\"a\""));
    BOOST_TEST(contains(t.content_of("events.jsonl"), "\"case_end\""));
}

BOOST_AUTO_TEST_CASE(what_is_no_event_reaches_nobody) {
    told t("nobody");
    for (const auto* line : {"", "garbage", "{\"at\":1,\"event\":\"case_be"}) {
        BOOST_TEST(!t.chronicle.take_line(line).has_value());
    }
    BOOST_TEST(t.content_of("events.jsonl").empty());
}

BOOST_AUTO_TEST_CASE(a_case_that_is_ended_from_outside_shows_the_consoles) {
    told t("outside");
    std::ofstream(t.folder / "web.log") << std::string(100'000, '.') << "\nlast words\n";
    t.happens(event_kind::run_begin, {});
    t.happens(event_kind::evidence, {{"console_file", std::string("/proc/nowhere")}}, "db");
    t.happens(event_kind::case_begin, {{"name", std::string("a")}});
    t.happens(event_kind::evidence, {{"console_file", (t.folder / "web.log").string()}}, "web");
    t.chronicle.end_running_case(problem_kind::timeout, "did not end within 1 s");
    const auto& one = *t.chronicle.record().find("a");
    BOOST_REQUIRE(one.problems.size() == 1U);
    BOOST_TEST((one.problems[0].kind == problem_kind::timeout));
    BOOST_REQUIRE(one.evidence.size() == 1U);
    BOOST_TEST(one.evidence[0].machine == "web");
    BOOST_TEST(one.evidence[0].console.ends_with("last words\n"));
    BOOST_TEST(one.evidence[0].console.size() < 10'000U);
    BOOST_TEST(contains(t.content_of("events.jsonl"), "\"cause\":\"timeout\""));
}

BOOST_AUTO_TEST_CASE(a_console_starts_with_its_case) {
    told t("consoles");
    const auto file = [&](const char* machine) { return (t.folder / machine).string(); };
    const auto say = [&](const char* machine, const char* words) {
        std::ofstream(t.folder / machine, std::ios::app) << words;
    };
    const auto starts = [&](const char* machine, std::int64_t position) {
        const auto offset =
            static_cast<std::int64_t>(fs::exists(t.folder / machine) ? fs::file_size(t.folder / machine) : 0);
        t.happens(event_kind::evidence, {{"console_file", file(machine)}, {"offset", offset}, {"position", position}},
                  machine);
    };
    const auto begin = [&](const char* name) { t.happens(event_kind::case_begin, {{"name", std::string(name)}}); };
    const auto end = [&](const char* name, bool passed) {
        t.happens(event_kind::case_end, {{"name", std::string(name)}, {"seconds", 1.0}, {"passed", passed}});
    };
    starts("global", 0);
    say("global", "it boots\n");
    begin("first");
    starts("web", 2);
    starts("db", 1);
    say("web", "panic of the first case\n");
    say("global", "words in the first case\n");
    end("first", true);
    begin("second");
    starts("web", 2);
    say("web", "one\n");
    starts("web", 2);
    say("web", "two\n");
    starts("db", 1);
    say("global", "words in the second case\n");
    end("second", false);
    begin("third");
    t.chronicle.end_running_case(problem_kind::crash, "was ended by SIGSEGV");
    const auto& evidence = t.chronicle.record().find("second")->evidence;
    BOOST_REQUIRE(evidence.size() == 3U);
    BOOST_TEST(evidence[0].console == "words in the second case\n");
    BOOST_TEST(evidence[1].machine == "db");
    BOOST_TEST(evidence[1].console == "(printed nothing in this case)");
    BOOST_TEST(evidence[2].console == "two\n");
    BOOST_TEST(t.chronicle.record().find("first")->evidence[1].console.empty());
    BOOST_TEST(t.chronicle.record().find("third")->evidence.empty());
    t.chronicle.save();
    BOOST_TEST(contains(t.content_of("junit.xml"), "words in the second case"));
    BOOST_TEST(!contains(t.content_of("junit.xml"), "panic of the first case"));
}

BOOST_AUTO_TEST_CASE(what_a_case_has_shown_of_a_console_is_enough) {
    told t("shown");
    std::ofstream(t.folder / "web.log") << "from the file\n";
    t.happens(event_kind::case_begin, {{"name", std::string("a")}});
    t.happens(event_kind::evidence, {{"console_file", (t.folder / "web.log").string()}}, "web");
    t.happens(event_kind::evidence, {{"console", std::string("shown\n")}}, "web");
    t.happens(event_kind::case_end, {{"name", std::string("a")}, {"seconds", 1.0}, {"passed", false}});
    BOOST_TEST(t.chronicle.record().find("a")->evidence.at(0).console == "shown\n");
}

BOOST_AUTO_TEST_CASE(a_console_is_cut_at_the_end_of_a_line) {
    told t("cut");
    std::ofstream log(t.folder / "web.log");
    for (int i = 0; i < 1000; ++i) {
        log << "line " << i << " of the console\n";
    }
    log.close();
    t.happens(event_kind::case_begin, {{"name", std::string("a")}});
    t.happens(event_kind::evidence, {{"console_file", (t.folder / "web.log").string()}}, "web");
    t.chronicle.end_running_case(problem_kind::crash, "died");
    const auto console = t.chronicle.record().find("a")->evidence.at(0).console;
    BOOST_TEST(console.starts_with("line "));
    BOOST_TEST(console.ends_with("line 999 of the console\n"));
    BOOST_TEST(console.size() > 8000U);
}

BOOST_AUTO_TEST_CASE(the_rest_is_skipped) {
    told t("rest");
    t.happens(event_kind::plan, {{"name", std::string("a")}});
    t.happens(event_kind::plan, {{"name", std::string("b")}});
    t.happens(event_kind::case_skipped, {{"name", std::string("a")}, {"reason", std::string("its own")}});
    t.chronicle.add_problem(problem_kind::crash, "died");
    t.chronicle.skip_the_rest("not run");
    BOOST_TEST(t.chronicle.record().find("a")->skip_reason == "its own");
    BOOST_TEST(t.chronicle.record().find("b")->skip_reason == "not run");
    BOOST_TEST(t.chronicle.record().find("(worker)")->outside);
}

BOOST_AUTO_TEST_SUITE_END()
