// SPDX-License-Identifier: BSL-1.0
// Shards and reports, with the real compiler, its gcov and, where it is installed, genhtml.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/coverage/gcov.hpp>
#include <vmdsl/coverage/report.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/coverage/tool.hpp>
#include <vmdsl/process/scratch_dir.hpp>

using namespace vmdsl;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

std::string content(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void run(const std::string& command) {
    BOOST_REQUIRE_MESSAGE(std::system(command.c_str()) == 0, command);  // NOLINT(cert-env33-c): the test's own text
}

/// A program that was compiled in "the guest", here a folder whose path is the same in the copy below tree/.
struct compiled_program {
    scratch_dir scratch{fs::temp_directory_path(), "coverage-" + detail::make_run_id()};
    fs::path base = scratch.path();
    fs::path guest = base / "coverage" / "demo";
    instrumented_build build{(base / "build").string(), guest.string()};
    fs::path output = base / "output";

    compiled_program() {
        fs::create_directories(guest);
        std::ofstream(guest / "demo.c") << "int twice(int x) {\n    return 2 * x;\n}\n"
                                           "int main(int count, char** words) {\n"
                                           "    (void)words;\n"
                                           "    if (count > 1) {\n"
                                           "        return twice(0);\n"
                                           "    }\n"
                                           "    return 0;\n"
                                           "}\n";
        run("cd '" + guest.string() + "' && gcc -O0 -g --coverage -c demo.c && gcc --coverage demo.o -o demo");
        const auto tree = fs::path(build.folder) / "tree" / guest.relative_path();
        fs::create_directories(tree);
        for (const auto* name : {"demo.c", "demo.gcno"}) {
            fs::copy(guest / name, tree / name);
        }
        run("cd '" + guest.string() + "' && gcov --json-format --stdout demo.gcno > '" + build.folder +
            "/baseline.json' 2>/dev/null && ln -s \"$(command -v gcov)\" '" + build.folder + "/gcov'");
    }

    /// What the program counts when it runs with these arguments.
    [[nodiscard]] counter_file counters(const std::string& arguments) const {
        run("cd '" + guest.string() + "' && ./demo " + arguments);
        counter_file file{(guest / "demo.gcda").string(), content(guest / "demo.gcda")};
        fs::remove(guest / "demo.gcda");
        return file;
    }

    coverage_shard shard(const std::string& machine, const std::string& test, const collection& found) const {
        return write_shard(output / "shards", {{}, machine, test, {build}, 0, {}}, found);
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(coverage_report_)

BOOST_FIXTURE_TEST_CASE(machines_and_cases_are_told_apart, compiled_program) {
    (void)shard("web", "suite/one", {{counters("x")}, {}, {}, 1});
    (void)shard("web", "suite/two", {{counters("x")}, {}, {}, 1});
    (void)shard("client", "suite/one", {{counters("")}, {}, {}, 1});
    const auto report = write_coverage_report(output);

    BOOST_TEST(report.problems.size() == (report.html.empty() ? 1U : 0U));
    BOOST_REQUIRE(report.machines.size() == 2U);
    BOOST_TEST(report.machines[0].machine == "client");
    BOOST_TEST(report.machines[0].lines == 6U);
    BOOST_TEST(report.machines[0].lines_run == 3U);
    BOOST_TEST(report.machines[0].only_here == 1U);
    BOOST_TEST(report.machines[1].lines_run == 5U);
    BOOST_TEST(report.machines[1].only_here == 3U);
    BOOST_TEST(report.lines_run == 6U);

    const auto text = content(report.tracefile);
    BOOST_TEST(text.find("TN:web\nSF:" + build.folder + "/tree" + guest.string() + "/demo.c\n") != std::string::npos);
    BOOST_TEST(text.find("DA:2,2\n") != std::string::npos);
    BOOST_TEST(content(report.by_case).find("TN:web__suite_two\n") != std::string::npos);
    BOOST_TEST(summary_of(report).find("coverage of client: 50.0 % of 6 lines, 1 of them on no other machine") !=
               std::string::npos);
    if (!report.html.empty()) {
        BOOST_TEST(content(report.html).find("demo") != std::string::npos);
    }
}

BOOST_FIXTURE_TEST_CASE(what_did_not_run_anywhere_counts_too, compiled_program) {
    (void)shard("web", "one", {});
    const auto report = write_coverage_report(output);
    BOOST_REQUIRE(report.machines.size() == 1U);
    BOOST_TEST(report.machines[0].lines == 6U);
    BOOST_TEST(report.machines[0].lines_run == 0U);
}

BOOST_FIXTURE_TEST_CASE(damaged_and_foreign_counters_are_left_out_and_said, compiled_program) {
    auto cut = counters("x");
    cut.content.resize(cut.content.size() / 2);
    const auto good = counters("");
    const auto written = shard("web", "one",
                               {{cut,
                                 {"/etc/passwd.gcda", good.content},
                                 {guest.string() + "/../demo/demo.gcda", good.content},
                                 {guest.string() + "/unknown.gcda", good.content},
                                 good},
                                {"apache2 (process 7) does-not-answer"},
                                {"profiling: Cannot open"},
                                0});
    BOOST_TEST(written.files == 1U);
    BOOST_TEST(written.problems.size() == 6U);
    BOOST_TEST(written.problems[2] == cut.path + ": it is cut off");
    const auto report = write_coverage_report(output);
    BOOST_TEST(report.machines[0].lines_run == 3U);
    BOOST_TEST(report.problems.size() >= 5U);
    BOOST_TEST(summary_of(report).find("COVERAGE IS NOT COMPLETE: web, one: not flushed: apache2") !=
               std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(without_coverage_there_is_no_report, compiled_program) {
    BOOST_TEST(write_coverage_report(output).machines.empty());
    BOOST_TEST(!fs::exists(output / "coverage.info"));
}

BOOST_FIXTURE_TEST_CASE(a_gcov_that_fails_is_named_and_the_rest_is_reported, compiled_program) {
    const compiled_program other;
    (void)write_shard(output / "shards", {{}, "client", "one", {other.build}, 0, {}},
                      {{other.counters("x")}, {}, {}, 1});
    (void)shard("web", "one", {{counters("x")}, {}, {}, 1});
    fs::remove(fs::path(other.build.folder) / "gcov");
    const auto report = write_coverage_report(output);
    BOOST_REQUIRE(report.machines.size() == 2U);
    BOOST_TEST(report.machines[0].lines == 6U);
    BOOST_TEST(report.machines[0].lines_run == 0U);
    BOOST_TEST(report.machines[1].lines_run == 5U);
    BOOST_TEST(
        summary_of(report).find("COVERAGE IS NOT COMPLETE: client, one: 1 files of counters could not be read: the "
                                "build's gcov, " +
                                other.build.folder + "/gcov, ended with code 127") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_build_that_is_gone_is_named, compiled_program) {
    (void)shard("web", "one", {{counters("x")}, {}, {}, 1});
    fs::remove_all(build.folder);
    const auto report = write_coverage_report(output);
    BOOST_TEST(summary_of(report).find(build.folder + " is no longer in the cache") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(counters_that_do_not_balance_count_from_zero_on, compiled_program) {
    auto found = counters("x");
    const auto entries_of_main = found.content.find("\0\0\xa1\x01"s) + 8;
    BOOST_REQUIRE(found.content.at(entries_of_main) == '\x01');
    found.content[entries_of_main] = '\0';
    (void)shard("web", "one", {{found}, {}, {}, 1});
    const auto report = write_coverage_report(output);
    BOOST_REQUIRE(report.machines.size() == 1U);
    BOOST_TEST(report.machines[0].lines_run == 3U);
    BOOST_TEST(content(report.tracefile).find("DA:9,0\n") != std::string::npos);  // gcov says -1
}

BOOST_AUTO_TEST_CASE(what_is_no_gcov_output_is_refused) {
    line_counts counts;
    BOOST_CHECK_THROW(add_gcov_output(counts, "{\"files\": 3}\n", {"/build", "/coverage/x"}), error);
    BOOST_CHECK_THROW(add_gcov_output(counts, "nonsense\n", {"/build", "/coverage/x"}), error);
}

BOOST_AUTO_TEST_SUITE_END()
