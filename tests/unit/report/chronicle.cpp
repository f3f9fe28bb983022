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
    t.happens(event_kind::evidence, {{"console_file", (t.folder / "web.log").string()}}, "web");
    t.happens(event_kind::evidence, {{"console_file", std::string("/proc/nowhere")}}, "db");
    t.happens(event_kind::case_begin, {{"name", std::string("a")}});
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
