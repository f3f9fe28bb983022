// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <vmdsl/report/run_record.hpp>

namespace {

using namespace vmdsl;
using namespace std::chrono_literals;
using fields = std::vector<std::pair<std::string, event::value>>;

const std::string lab = "lab/boots";

event make(event_kind kind, fields f, std::chrono::nanoseconds at = 0s, std::string machine = {}) {
    return {at, kind, std::move(machine), std::move(f)};
}

event begin(const std::string& name, std::chrono::nanoseconds at = 0s) {
    return make(event_kind::case_begin, {{"name", name}}, at);
}

event end(const std::string& name, bool passed) {
    return make(event_kind::case_end, {{"name", name}, {"seconds", 1.5}, {"passed", passed}});
}

event failed_check(const std::string& message) {
    return make(event_kind::check_failed,
                {{"message", message}, {"file", std::string("a.cpp")}, {"line", std::int64_t{7}}});
}

run_record record(std::initializer_list<event> events) {
    run_record run;
    for (const auto& e : events) {
        run.apply(e);
    }
    return run;
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(vmdsl::case_status)
BOOST_TEST_DONT_PRINT_LOG_VALUE(vmdsl::problem_kind)

BOOST_AUTO_TEST_SUITE(run_record_)

BOOST_AUTO_TEST_CASE(a_plan_gives_the_order_and_no_result) {
    const auto run =
        record({make(event_kind::plan, {{"name", std::string("z")}, {"labels", std::string("slow,,net")}}),
                make(event_kind::plan,
                     {{"name", std::string("a")}, {"file", std::string("f.cpp")}, {"line", std::int64_t{3}}})});
    BOOST_REQUIRE(run.cases().size() == 2U);
    BOOST_TEST(run.cases()[0].name == "z");
    BOOST_TEST(run.cases()[0].labels == (std::vector<std::string>{"slow", "net"}), boost::test_tools::per_element());
    BOOST_TEST(run.cases()[1].file == "f.cpp");
    BOOST_TEST(run.cases()[1].line == 3);
    BOOST_TEST(run.counts().total() == 0U);
}

BOOST_AUTO_TEST_CASE(a_case_passes) {
    auto run = record({begin(lab)});
    BOOST_REQUIRE(run.running() != nullptr);
    BOOST_TEST(run.running()->name == lab);
    run.apply(end(lab, true));
    BOOST_TEST(run.running() == nullptr);
    BOOST_TEST(run.find(lab)->status == case_status::passed);
    BOOST_TEST(run.find(lab)->seconds == 1.5);
    BOOST_TEST(run.counts().passed == 1U);
}

BOOST_AUTO_TEST_CASE(failures_make_a_case_failed_and_infrastructure_alone_makes_it_an_error) {
    const auto broken = make(event_kind::exception, {{"message", std::string("no QEMU")}, {"infrastructure", true}});
    const auto run = record({begin("check"), failed_check("1 == 2"), end("check", false),  //
                             begin("infra"), broken, end("infra", false),                  //
                             begin("both"), failed_check("1 == 2"), broken, end("both", false)});
    BOOST_TEST(run.find("check")->status == case_status::failed);
    BOOST_TEST(run.find("check")->problems.at(0).file == "a.cpp");
    BOOST_TEST(run.find("check")->problems.at(0).line == 7);
    BOOST_TEST(run.find("infra")->status == case_status::errored);
    BOOST_TEST(run.find("infra")->problems.at(0).kind == problem_kind::infrastructure);
    BOOST_TEST(run.find("both")->status == case_status::failed);
    BOOST_TEST(run.find("both")->problems.size() == 2U);
}

BOOST_AUTO_TEST_CASE(expected_failures_are_no_problems) {
    const auto run = record({begin(lab), failed_check("1 == 2"), end(lab, true)});
    BOOST_TEST(run.find(lab)->problems.empty());
    BOOST_TEST(run.find(lab)->log.at(0) == "expected failure: 1 == 2");
}

BOOST_AUTO_TEST_CASE(a_failed_case_always_has_a_problem) {
    const auto run = record({begin(lab), end(lab, false)});
    BOOST_TEST(run.find(lab)->problems.size() == 1U);
    BOOST_TEST(run.find(lab)->status == case_status::failed);
}

BOOST_AUTO_TEST_CASE(the_first_result_counts) {
    auto run = record({begin(lab), end(lab, false), begin(lab)});
    BOOST_TEST(run.running() == nullptr);
    run.apply(end(lab, true));
    run.apply(make(event_kind::case_skipped, {{"name", lab}, {"reason", std::string("x")}}));
    BOOST_TEST(run.find(lab)->status == case_status::failed);
    BOOST_TEST(run.cases().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_new_worker_begins_again_what_has_no_result) {
    auto run =
        record({begin("a"), end("a", true), begin(lab), failed_check("1 == 2"), make(event_kind::run_begin, {})});
    BOOST_TEST(run.running() == nullptr);
    BOOST_TEST(!run.find(lab)->has_result());
    run.apply(begin(lab));
    run.apply(end(lab, true));
    BOOST_TEST(run.find(lab)->status == case_status::passed);
    BOOST_TEST(run.find(lab)->log.empty());
    BOOST_TEST(run.find("a")->status == case_status::passed);
}

BOOST_AUTO_TEST_CASE(causes_are_the_supervisors) {
    const auto with_cause = [](const char* cause) {
        return problem_kind_of(make(event_kind::exception, {{"cause", std::string(cause)}, {"infrastructure", true}}));
    };
    BOOST_TEST(with_cause("crash") == problem_kind::crash);
    BOOST_TEST(with_cause("timeout") == problem_kind::timeout);
    BOOST_TEST(with_cause("interrupted") == problem_kind::interrupted);
    BOOST_TEST(with_cause("whatever") == problem_kind::infrastructure);
    BOOST_TEST(problem_kind_of(make(event_kind::exception, {})) == problem_kind::exception);
    BOOST_TEST(is_verdict(problem_kind::timeout));
    BOOST_TEST(is_verdict(problem_kind::crash));
    BOOST_TEST(!is_verdict(problem_kind::interrupted));
    BOOST_TEST(!is_verdict(problem_kind::infrastructure));
}

BOOST_AUTO_TEST_CASE(a_problem_outside_of_any_case_becomes_a_record) {
    const auto broken =
        make(event_kind::exception,
             {{"message", std::string("no")}, {"name", std::string("lab/(fixture)")}, {"infrastructure", true}});
    auto run = record({broken, broken});
    BOOST_TEST(run.cases().size() == 1U);
    BOOST_TEST(run.cases()[0].outside);
    BOOST_TEST(run.cases()[0].problems.size() == 1U);  // a second worker says the same again
    BOOST_TEST(run.counts().errored == 1U);
    run.apply(failed_check("1 == 2"));
    BOOST_TEST(run.find("(outside of any case)")->status == case_status::failed);
}

BOOST_AUTO_TEST_CASE(what_ends_the_worker_is_told_with_the_verbs_under_way) {
    const auto verb = [](event_kind kind, const char* machine, const char* text, const char* where = "") {
        return make(kind, {{"text", std::string(text)}, {"where", std::string(where)}}, 0s, machine);
    };
    const auto crash =
        make(event_kind::exception, {{"message", std::string("was killed")}, {"cause", std::string("crash")}});
    auto run =
        record({begin(lab), verb(event_kind::verb, "web", "run true"), verb(event_kind::verb, "", "start"),
                verb(event_kind::verb, "db", "run sleep 9", "a.cpp:7"), verb(event_kind::verb, "web", "run true"),
                verb(event_kind::command, "web", "run true"), failed_check("1 == 2"), crash});
    const auto& problems = run.find(lab)->problems;
    BOOST_TEST(problems.at(0).message == "1 == 2");
    BOOST_TEST(problems.at(1).message ==
               "was killed\n  in verb: web: run true\n  in verb: start\n  in verb: db: run sleep 9 (a.cpp:7)");
    run.apply(end(lab, false));
    run.apply(crash);  // nothing is under way in a worker that is gone
    BOOST_TEST(run.find("(outside of any case)")->problems.at(0).message == "was killed");
    run.apply(verb(event_kind::verb, "", "start"));
    run.apply(make(event_kind::run_begin, {}));
    run.apply(begin("next"));
    run.apply(crash);
    BOOST_TEST(run.find("next")->problems.at(0).message == "was killed");
}

BOOST_AUTO_TEST_CASE(evidence_and_log_belong_to_the_running_case) {
    const auto evidence = make(
        event_kind::evidence, {{"console", std::string("login:")}, {"console_file", std::string("/w.log")}}, 0s, "web");
    const auto run = record(
        {evidence, begin(lab, 10s),
         make(event_kind::command,
              {{"text", std::string("true")}, {"seconds", 0.25}, {"outcome", std::string("exit 0")}}, 12s, "web"),
         make(event_kind::note, {{"text", std::string("hello")}}, 13s),
         make(event_kind::phase, {{"text", std::string("boot")}}, 13s), evidence, end(lab, false), evidence});
    const auto& one = *run.find(lab);
    BOOST_REQUIRE(one.evidence.size() == 1U);
    BOOST_TEST(one.evidence[0].machine == "web");
    BOOST_TEST(one.evidence[0].console == "login:");
    BOOST_TEST(one.evidence[0].console_file == "/w.log");
    const std::vector<std::string> expected{"+2.000 s  web: true  0.250 s: exit 0", "+3.000 s  hello"};
    BOOST_TEST(one.log == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(later_evidence_of_a_machine_replaces_the_earlier) {
    const auto about = [](const char* machine, fields f) {
        return make(event_kind::evidence, std::move(f), 0s, machine);
    };
    const auto run = record({begin(lab), about("web", {{"console_file", std::string("/w.log")}}), about("db", {}),
                             about("web", {{"console", std::string("login:")}})});
    const auto& evidence = run.running()->evidence;
    BOOST_REQUIRE(evidence.size() == 2U);
    BOOST_TEST(evidence[0].console == "login:");
    BOOST_TEST(evidence[0].console_file == "/w.log");
}

BOOST_AUTO_TEST_CASE(evidence_stands_in_the_order_of_the_machines) {
    const auto about = [](const char* machine, std::int64_t position) {
        return make(event_kind::evidence, {{"position", position}}, 0s, machine);
    };
    const auto run = record({begin(lab), about("c", 2), about("a", 0), about("b", 1), about("c", 2)});
    std::vector<std::string> machines;
    for (const auto& one : run.running()->evidence) {
        machines.push_back(one.machine);
    }
    BOOST_TEST(machines == (std::vector<std::string>{"a", "b", "c"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_fact_is_kept_once) {
    const auto fact = [](const char* name, const char* value) {
        return make(event_kind::fact, {{"name", std::string(name)}, {"value", std::string(value)}});
    };
    const auto run = record({fact("acceleration", "kvm"), fact("qemu", "7.2"), fact("acceleration", "tcg")});
    BOOST_REQUIRE(run.facts().size() == 2U);
    BOOST_TEST(run.facts()[0].second == "tcg");
    BOOST_TEST(run.facts()[1].second == "7.2");
}

BOOST_AUTO_TEST_CASE(a_log_is_bounded) {
    auto run = record({begin(lab)});
    for (int i = 0; i < 1000; ++i) {
        run.apply(make(event_kind::note, {{"text", std::to_string(i) + std::string(10000, 'x')}}));
    }
    BOOST_TEST(run.running()->log.size() == 200U);
    BOOST_TEST(run.running()->log.back().starts_with("+0.000 s  999x"));
    BOOST_TEST(run.running()->log.back().size() < 2100U);
}

BOOST_AUTO_TEST_CASE(result_files_are_remembered) {
    const auto run = record(
        {make(event_kind::file, {{"path", std::string("/x/coverage.info")}, {"text", std::string("coverage")}})});
    BOOST_TEST(run.files().at(0).first == "/x/coverage.info");
    BOOST_TEST(run.files().at(0).second == "coverage");
}

BOOST_AUTO_TEST_CASE(events_with_missing_fields_do_no_harm) {
    run_record run;
    for (int kind = 0; kind <= static_cast<int>(event_kind::run_end); ++kind) {
        run.apply(make(static_cast<event_kind>(kind), {}));
        run.apply(make(static_cast<event_kind>(kind),
                       {{"name", true}, {"line", std::string("x")}, {"seconds", std::string("y")}}));
    }
    BOOST_TEST(run.running() == nullptr);
    BOOST_TEST(run.cases().size() == 2U);
}

BOOST_AUTO_TEST_CASE(seconds_are_printed_with_milliseconds) {
    BOOST_TEST(detail::seconds_text(1.23456) == "1.235");
    BOOST_TEST(detail::seconds_text(0) == "0.000");
    BOOST_TEST(detail::seconds_text(-1) == "0.000");
    BOOST_TEST(detail::seconds_text(1e300) == "0.000");
}

namespace {

event step_begins(const std::string& path) {
    return make(event_kind::step,
                {{"text", path}, {"path", path}, {"depth", std::int64_t{path.find('>') != std::string::npos}}});
}

event step_ends(const std::string& path, bool passed = true, const std::string& problem = {}) {
    return make(event_kind::step_end, {{"text", path},
                                       {"path", path},
                                       {"depth", std::int64_t{0}},
                                       {"seconds", 1.0},
                                       {"passed", passed},
                                       {"problem", problem}});
}

event thrown(const std::string& message) {
    return make(event_kind::exception, {{"message", message}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_problem_names_the_step_that_it_is_in) {
    const auto run =
        record({begin(lab), step_begins("a"), step_begins("a > b"), failed_check("inner"), step_ends("a > b"),
                failed_check("outer"), step_ends("a"), failed_check("none"), end(lab, false)});
    const auto& problems = run.cases()[0].problems;
    BOOST_REQUIRE(problems.size() == 3U);
    BOOST_TEST(problems[0].message == "inner\n  in step: a > b");
    BOOST_TEST(problems[1].message == "outer\n  in step: a");
    BOOST_TEST(problems[2].message == "none");
    BOOST_TEST(run.cases()[0].log.at(1).find("  step: a > b") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_exception_names_the_innermost_step_that_it_left) {
    const auto run = record({begin(lab), step_begins("a"), step_begins("a > b"), step_ends("a > b", false, "boom"),
                             step_ends("a", false, "boom"), thrown("std::runtime_error: boom"), end(lab, false)});
    BOOST_TEST(run.cases()[0].problems.at(0).message == "std::runtime_error: boom\n  in step: a > b");
}

BOOST_AUTO_TEST_CASE(an_exception_that_was_caught_names_no_step) {
    const auto run = record({begin(lab), step_begins("a"), step_ends("a", false, "expected"), thrown("another"),
                             end(lab, false), begin("lab/next"), thrown("expected"), end("lab/next", false)});
    BOOST_TEST(run.cases()[0].problems.at(0).message == "another");
    BOOST_TEST(run.cases()[1].problems.at(0).message == "expected");
}

BOOST_AUTO_TEST_SUITE_END()
