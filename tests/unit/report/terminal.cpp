// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/report/terminal.hpp>

namespace {

using namespace vmdsl;
using fields = std::vector<std::pair<std::string, event::value>>;

/// A run with a bit of everything.
std::string show(verbosity level, bool colour = false) {
    std::ostringstream out;
    terminal_log log(out, level, colour);
    run_record run;
    const auto happens = [&](event_kind kind, fields f, std::string machine = {}) {
        const event e{std::chrono::nanoseconds(0), kind, std::move(machine), std::move(f)};
        run.apply(e);
        log.show(e, run);
    };
    const auto text = [](const char* t) { return std::string(t); };
    log.say("results go elsewhere");
    for (int worker = 0; worker < 2; ++worker) {
        happens(event_kind::fact, {{"name", text("acceleration")}, {"text", text("acceleration: none")}});
    }
    happens(event_kind::case_begin, {{"name", text("lab/boots")}});
    happens(event_kind::phase, {{"text", text("boot")}}, "web");
    happens(event_kind::phase_end, {{"text", text("boot")}, {"seconds", 7.5}}, "web");
    happens(event_kind::command, {{"text", text("true")}, {"seconds", 0.5}, {"outcome", text("exit 0")}}, "web");
    happens(event_kind::case_end, {{"name", text("lab/boots")}, {"seconds", 8.0}, {"passed", true}});
    happens(event_kind::case_begin, {{"name", text("lab/serves")}});
    happens(event_kind::warning, {{"text", text("KVM does not work")}});
    happens(event_kind::check_failed,
            {{"message", text("a != b\nin context")}, {"file", text("lab.cpp")}, {"line", std::int64_t{9}}});
    happens(event_kind::evidence, {{"console", text("x\x1B[2J\r\ny\r\n")}, {"console_file", text("/web.log")}}, "web");
    happens(event_kind::case_end, {{"name", text("lab/serves")}, {"seconds", 0.25}, {"passed", false}});
    happens(event_kind::case_skipped, {{"name", text("lab/kvm")}, {"reason", text("no KVM\nmore")}});
    happens(event_kind::exception,
            {{"message", text("no image")}, {"name", text("lab/(fixture)")}, {"infrastructure", true}});
    happens(event_kind::file, {{"path", text("/r/coverage.info")}, {"text", text("coverage")}});
    log.summarise(run, 9.125);
    return out.str();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(terminal)

BOOST_AUTO_TEST_CASE(normal) {
    BOOST_TEST(show(verbosity::normal) == R"(vmdsl: results go elsewhere
       . acceleration: none
       . web: boot ...
       . web: boot  7.500 s
ok       lab/boots  8.000 s
       . warning: KVM does not work
FAILED   lab/serves  0.250 s
         lab.cpp:9: a != b
         in context
         console of web ended with:
           | x\x1b[2J
           | y
         all of the console: /web.log
skipped  lab/kvm  (no KVM)
ERROR    lab/(fixture)
         no image

FAILED   lab/serves
ERROR    lab/(fixture)
1 passed, 1 failed, 1 could not run, 1 skipped in 9.125 s
  coverage: /r/coverage.info
)");
}

BOOST_AUTO_TEST_CASE(quiet) {
    BOOST_TEST(show(verbosity::quiet) == R"(FAILED   lab/serves  0.250 s
         lab.cpp:9: a != b
         in context
         console of web ended with:
           | x\x1b[2J
           | y
         all of the console: /web.log
ERROR    lab/(fixture)
         no image

FAILED   lab/serves
ERROR    lab/(fixture)
1 passed, 1 failed, 1 could not run, 1 skipped in 9.125 s
  coverage: /r/coverage.info
)");
}

BOOST_AUTO_TEST_CASE(verbose_shows_commands) {
    const auto shown = show(verbosity::verbose);
    BOOST_TEST(shown.find("begins   lab/boots\n") != std::string::npos);
    BOOST_TEST(shown.find("       . web: true  0.500 s: exit 0\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(colours_are_ours_alone) {
    const auto shown = show(verbosity::normal, true);
    BOOST_TEST(shown.find("\x1B[32mok\x1B[0m       lab/boots") != std::string::npos);
    BOOST_TEST(shown.find("\x1B[31mFAILED\x1B[0m   lab/serves") != std::string::npos);
    BOOST_TEST(shown.find("\x1B[2J") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(of_many_lines_it_shows_the_ends) {
    std::string lines;
    for (int i = 1; i <= 500; ++i) {
        lines += "line " + std::to_string(i) + "\n";
    }
    std::ostringstream out;
    terminal_log log(out, verbosity::normal, false);
    log.refer_to("/r/junit.xml");
    run_record run;
    const auto happens = [&](event_kind kind, fields f, std::string machine = {}) {
        const event e{std::chrono::nanoseconds(0), kind, std::move(machine), std::move(f)};
        run.apply(e);
        log.show(e, run);
    };
    happens(event_kind::case_begin, {{"name", std::string("prints")}});
    happens(event_kind::exception, {{"message", "the command exited with code 1\n" + lines}});
    happens(event_kind::evidence, {{"console", lines}, {"console_file", std::string("/r/web.log")}}, "web");
    happens(event_kind::case_end, {{"name", std::string("prints")}, {"seconds", 1.0}, {"passed", false}});
    const auto shown = out.str();
    const auto contains = [&](const std::string& part) { return shown.find(part) != std::string::npos; };
    BOOST_TEST(std::count(shown.begin(), shown.end(), '\n') == 1 + 41 + 1 + 41 + 1);
    BOOST_TEST(contains("         the command exited with code 1\n         line 1\n"));
    BOOST_TEST(contains("         line 9\n         (461 more lines: /r/junit.xml)\n         line 471\n"));
    BOOST_TEST(contains("         line 500\n         console of web ended with:\n"));
    BOOST_TEST(contains("           | line 10\n           | (460 more lines: /r/web.log)\n           | line 471\n"));
    BOOST_TEST(contains("           | line 500\n         all of the console: /r/web.log\n"));
}

BOOST_AUTO_TEST_CASE(counts_name_what_there_is) {
    BOOST_TEST(to_string(run_counts{}) == "0 passed, 0 failed");
    BOOST_TEST(to_string(run_counts{2, 1, 0, 3}) == "2 passed, 1 failed, 3 skipped");
}

BOOST_AUTO_TEST_CASE(steps_are_nested) {
    std::ostringstream out;
    terminal_log log(out, verbosity::normal, false);
    const auto happens = [&](event_kind kind, const char* name, std::int64_t depth, bool passed) {
        log.show({{}, kind, {}, {{"text", std::string(name)}, {"depth", depth}, {"seconds", 0.5}, {"passed", passed}}},
                 {});
    };
    happens(event_kind::step, "outer", 0, false);
    happens(event_kind::step, "fine", 1, false);
    happens(event_kind::step_end, "fine", 1, true);
    happens(event_kind::step, "not fine", 1, false);
    happens(event_kind::step_end, "not fine", 1, false);
    BOOST_TEST(out.str() == R"(       . step: outer
       .   step: fine
       .   step: not fine
       .   failed: not fine  0.500 s
)");
}

BOOST_AUTO_TEST_SUITE_END()
