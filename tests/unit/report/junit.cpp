// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/report/junit.hpp>

namespace {

using namespace vmdsl;
using fields = std::vector<std::pair<std::string, event::value>>;

void apply(run_record& run, event_kind kind, fields f, std::string machine = {}) {
    run.apply({std::chrono::nanoseconds(0), kind, std::move(machine), std::move(f)});
}

void plan(run_record& run, const std::string& name, const std::string& labels = {}) {
    apply(run, event_kind::plan,
          {{"name", name}, {"file", std::string("lab.cpp")}, {"line", std::int64_t{3}}, {"labels", labels}});
}

void begin(run_record& run, const std::string& name) {
    apply(run, event_kind::case_begin, {{"name", name}});
}

void end(run_record& run, const std::string& name, bool passed) {
    apply(run, event_kind::case_end, {{"name", name}, {"seconds", 0.25}, {"passed", passed}});
}

junit_report make_report() {
    return junit_report({"lab", "2024-05-01T12:00:00", "host", {{"kernel", "6.1"}}});
}

std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(junit)

BOOST_AUTO_TEST_CASE(an_empty_run) {
    BOOST_TEST(make_report().render({}, run_stage::ended) == R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="lab" tests="0" failures="0" errors="0" skipped="0" time="0.000">
</testsuites>
)");
}

BOOST_AUTO_TEST_CASE(a_run_that_is_killed_at_once_is_not_green) {
    BOOST_TEST(make_report().render({}, run_stage::under_way) == R"xml(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="lab" tests="1" failures="0" errors="1" skipped="0" time="0.000">
  <testsuite name="lab" tests="1" failures="0" errors="1" skipped="0" time="0.000" timestamp="2024-05-01T12:00:00" hostname="host">
    <properties>
      <property name="kernel" value="6.1"/>
    </properties>
    <testcase classname="lab" name="(run)" time="0.000">
      <error message="the run had not ended when this file was written" type="interrupted">the run had not ended when this file was written</error>
    </testcase>
  </testsuite>
</testsuites>
)xml");
}

BOOST_AUTO_TEST_CASE(every_kind_of_case) {
    run_record run;
    apply(run, event_kind::fact, {{"name", std::string("acceleration")}, {"value", std::string("kvm")}});
    apply(run, event_kind::fact, {{"name", std::string("acceleration")}, {"value", std::string("tcg")}});
    for (const auto* name : {"top", "web/served/commits", "web/served/times_out", "web/skipped", "web/could_not_run"}) {
        plan(run, name, name == std::string("top") ? "smoke,net" : "");
    }
    begin(run, "top");
    apply(run, event_kind::note, {{"text", std::string("of a case that passed: left out")}});
    end(run, "top", true);
    begin(run, "web/served/commits");
    apply(run, event_kind::command,
          {{"text", std::string("svn commit")}, {"seconds", 0.125}, {"outcome", std::string("exit 1")}}, "client");
    apply(run, event_kind::check_failed,
          {{"message", std::string("check a < b has failed\nin \"this\" context")},
           {"file", std::string("lab.cpp")},
           {"line", std::int64_t{12}}});
    apply(run, event_kind::exception, {{"message", std::string("std::runtime_error: boom")}});
    apply(run, event_kind::evidence,
          {{"console", std::string("login: \x1B[0m ]]>")}, {"console_file", std::string("/r/web.log")}}, "web");
    end(run, "web/served/commits", false);
    begin(run, "web/served/times_out");
    apply(run, event_kind::exception,
          {{"message", std::string("did not end within 5 s")}, {"cause", std::string("timeout")}});
    end(run, "web/served/times_out", false);
    apply(run, event_kind::case_skipped, {{"name", std::string("web/skipped")}, {"reason", std::string("no <kvm>")}});
    begin(run, "web/could_not_run");
    apply(run, event_kind::exception, {{"message", std::string("no QEMU")}, {"infrastructure", true}});
    apply(run, event_kind::evidence, {{"console_file", std::string("/r/db.log")}}, "db");
    end(run, "web/could_not_run", false);

    BOOST_TEST(make_report().render(run, run_stage::ended) == R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="lab" tests="5" failures="2" errors="1" skipped="1" time="1.000">
  <testsuite name="lab" tests="1" failures="0" errors="0" skipped="0" time="0.250" timestamp="2024-05-01T12:00:00" hostname="host">
    <properties>
      <property name="kernel" value="6.1"/>
      <property name="acceleration" value="tcg"/>
    </properties>
    <testcase classname="lab" name="top" file="lab.cpp" line="3" time="0.250">
      <properties>
        <property name="label" value="smoke"/>
        <property name="label" value="net"/>
      </properties>
    </testcase>
  </testsuite>
  <testsuite name="lab.web.served" tests="2" failures="2" errors="0" skipped="0" time="0.500" timestamp="2024-05-01T12:00:00" hostname="host">
    <properties>
      <property name="kernel" value="6.1"/>
      <property name="acceleration" value="tcg"/>
    </properties>
    <testcase classname="lab.web.served" name="commits" file="lab.cpp" line="3" time="0.250">
      <failure message="check a &lt; b has failed" type="check">lab.cpp:12: check a &lt; b has failed
in "this" context</failure>
      <failure message="std::runtime_error: boom" type="exception">std::runtime_error: boom</failure>
      <system-out>+0.000 s  client: svn commit  0.125 s: exit 1
console of web (all of it: /r/web.log):
login: \x1b[0m ]]&gt;
</system-out>
    </testcase>
    <testcase classname="lab.web.served" name="times_out" file="lab.cpp" line="3" time="0.250">
      <failure message="did not end within 5 s" type="timeout">did not end within 5 s</failure>
    </testcase>
  </testsuite>
  <testsuite name="lab.web" tests="2" failures="0" errors="1" skipped="1" time="0.250" timestamp="2024-05-01T12:00:00" hostname="host">
    <properties>
      <property name="kernel" value="6.1"/>
      <property name="acceleration" value="tcg"/>
    </properties>
    <testcase classname="lab.web" name="skipped" file="lab.cpp" line="3" time="0.000">
      <skipped message="no &lt;kvm&gt;"/>
    </testcase>
    <testcase classname="lab.web" name="could_not_run" file="lab.cpp" line="3" time="0.250">
      <error message="no QEMU" type="infrastructure">no QEMU</error>
      <system-out>console of db: /r/db.log
</system-out>
    </testcase>
  </testsuite>
</testsuites>
)");
}

BOOST_AUTO_TEST_CASE(a_report_grows_with_its_run) {
    auto report = make_report();
    run_record run;
    const auto expect_the_same_of_a_new_one = [&] {
        const auto text = report.render(run, run_stage::under_way);
        BOOST_TEST(text == make_report().render(run, run_stage::under_way));
        return text;
    };
    plan(run, "a");
    plan(run, "b");
    expect_the_same_of_a_new_one();
    begin(run, "a");
    expect_the_same_of_a_new_one();
    end(run, "a", true);
    expect_the_same_of_a_new_one();
    begin(run, "b");
    end(run, "b", false);
    apply(run, event_kind::exception, {{"message", std::string("one")}, {"name", std::string("(worker)")}});
    expect_the_same_of_a_new_one();
    apply(run, event_kind::exception, {{"message", std::string("two")}, {"name", std::string("(worker)")}});
    expect_the_same_of_a_new_one();
}

BOOST_AUTO_TEST_CASE(what_has_no_result_yet_is_there) {
    run_record run;
    plan(run, "a");
    plan(run, "b");
    const auto contains = [&](const std::string& part) {
        return make_report().render(run, run_stage::under_way).find(part) != std::string::npos;
    };
    BOOST_TEST(contains("tests=\"3\" failures=\"0\" errors=\"1\" skipped=\"2\""));
    BOOST_TEST(contains("name=\"(run)\""));
    begin(run, "a");
    BOOST_TEST(contains("tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"1\""));
    BOOST_TEST(contains("<error message=\"the case had not ended when this file was written\" type=\"interrupted\">"));
    BOOST_TEST(contains("<skipped message=\"not run\"/>"));
    BOOST_TEST(!contains("(run)"));
    apply(run, event_kind::check_failed, {{"message", std::string("1 == 2")}});
    BOOST_TEST(contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"1\""));
}

BOOST_AUTO_TEST_CASE(huge_texts_are_cut) {
    run_record run;
    begin(run, "a");
    apply(run, event_kind::evidence, {{"console", std::string(10'000'000, 'x')}}, "web");
    apply(run, event_kind::check_failed, {{"message", std::string(10'000'000, 'y')}});
    end(run, "a", false);
    BOOST_TEST(make_report().render(run, run_stage::ended).size() < 300'000U);
}

BOOST_AUTO_TEST_CASE(a_file_is_replaced_as_a_whole) {
    const auto folder = current_run().scratch_directory / "junit";
    std::filesystem::create_directory(folder);
    replace_file(folder / "file", "one");
    replace_file(folder / "file", "");
    BOOST_TEST(content_of(folder / "file").empty());
    replace_file(folder / "file", "two");
    BOOST_TEST(content_of(folder / "file") == "two");
    BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder), {}) == 1);
    BOOST_CHECK_EXCEPTION(replace_file(folder / "no" / "file", "x"), could_not_run, [](const could_not_run& e) {
        return e.details().what_failed.find("No such file or directory") != std::string::npos;
    });
    std::filesystem::create_directories(folder / "taken" / "inner");
    BOOST_CHECK_THROW(replace_file(folder / "taken", "x"), could_not_run);
    std::filesystem::create_symlink("/dev/full", folder / "on_a_full_disk.tmp");
    BOOST_CHECK_EXCEPTION(replace_file(folder / "on_a_full_disk", "x"), could_not_run, [](const could_not_run& e) {
        return e.details().what_failed.ends_with("on_a_full_disk: No space left on device") &&
               e.details().hint.starts_with("Free some space");
    });
    BOOST_TEST(!std::filesystem::is_symlink(folder / "on_a_full_disk.tmp"));
}

BOOST_AUTO_TEST_SUITE_END()
