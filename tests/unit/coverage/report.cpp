// SPDX-License-Identifier: BSL-1.0
// Shards and reports, with the real compiler, its gcov and, where it is installed, genhtml.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

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

boost::test_tools::assertion_result has_genhtml(boost::unit_test::test_unit_id) {
    return !detail::find_tool("genhtml").empty();
}

collection files(std::vector<counter_file> found) {
    return {std::move(found), {}, {}, 1, {}};
}

const std::string a_function_and_main =
    "int twice(int x) {\n    return 2 * x;\n}\n"
    "int main(int count, char** words) {\n"
    "    (void)words;\n"
    "    if (count > 1) {\n"
    "        return twice(0);\n"
    "    }\n"
    "    return 0;\n"
    "}\n";

/// A program that was compiled in "the guest", here a folder whose path is the same in the copy below tree/.
struct compiled_program {
    scratch_dir scratch{fs::temp_directory_path(), "coverage-" + detail::make_run_id()};
    fs::path base = scratch.path();
    fs::path guest = base / "coverage" / "demo";
    instrumented_build build{(base / "build").string(), guest.string()};
    fs::path output = base / "output";

    explicit compiled_program(const std::string& source = "demo.c", const std::string& text = a_function_and_main) {
        fs::create_directories(guest);
        std::ofstream(guest / source) << text;
        const std::string compiler = source.ends_with(".c") ? "gcc" : "g++";
        run("cd '" + guest.string() + "' && " + compiler + " -O0 -g --coverage -c " + source + " && " + compiler +
            " --coverage demo.o -o demo");
        const auto tree = fs::path(build.folder) / "tree" / guest.relative_path();
        fs::create_directories(tree);
        for (const auto& name : {source, std::string("demo.gcno")}) {
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
    (void)shard("web", "suite/one", files({counters("x")}));
    (void)shard("web", "suite/two", files({counters("x")}));
    (void)shard("client", "suite/one", files({counters("")}));
    const auto report = write_coverage_report(output);

    BOOST_TEST(report.problems.empty());
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
                                0,
                                {}});
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
    (void)write_shard(output / "shards", {{}, "client", "one", {other.build}, 0, {}}, files({other.counters("x")}));
    (void)shard("web", "one", files({counters("x")}));
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
    (void)shard("web", "one", files({counters("x")}));
    fs::remove_all(build.folder);
    const auto report = write_coverage_report(output);
    BOOST_TEST(summary_of(report).find(build.folder + " is no longer in the cache") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(counters_that_do_not_balance_count_from_zero_on, compiled_program) {
    auto found = counters("x");
    const auto entries_of_main = found.content.find("\0\0\xa1\x01"s) + 8;
    BOOST_REQUIRE(found.content.at(entries_of_main) == '\x01');
    found.content[entries_of_main] = '\0';
    (void)shard("web", "one", files({found}));
    const auto report = write_coverage_report(output);
    BOOST_REQUIRE(report.machines.size() == 1U);
    BOOST_TEST(report.machines[0].lines_run == 3U);
    BOOST_TEST(content(report.tracefile).find("DA:9,0\n") != std::string::npos);  // gcov says -1
}

BOOST_FIXTURE_TEST_CASE(words_that_are_no_text_cost_no_shard, compiled_program) {
    (void)shard("web", "one", {{counters("x")}, {}, {"profiling: \xff\xc3: Cannot open"}, 1, {}});
    const auto report = write_coverage_report(output);
    BOOST_REQUIRE(report.machines.size() == 1U);
    BOOST_TEST(report.machines[0].machine == "web");
    BOOST_TEST(report.machines[0].lines_run == 5U);
    BOOST_TEST(
        summary_of(report).find(R"(web, one: a program in the guest could not write its counters: profiling: \xff)") !=
        std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_shard_that_cannot_be_read_is_named_and_is_no_machine, compiled_program) {
    (void)shard("web", "one", files({counters("x")}));
    fs::create_directories(output / "shards" / "0002");
    fs::create_directories(output / "shards" / "0003");
    std::ofstream(output / "shards" / "0003" / "shard.json") << R"({"machine": "db", "test": "one", )";
    const auto report = write_coverage_report(output);
    BOOST_TEST(report.machines.size() == 1U);
    BOOST_REQUIRE(report.problems.size() == 2U);
    BOOST_TEST(report.problems[0].find("0002/shard.json can't be read") != std::string::npos);
    BOOST_TEST(report.problems[1].find("0003/shard.json can't be read: ") != std::string::npos);
    BOOST_TEST(summary_of(report).find("NOT COMPLETE: , ") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_file_that_comes_twice_counts_once, compiled_program) {
    const auto first = counters("x");
    const auto second = counters("");
    const auto written = shard("web", "one", files({first, second}));
    BOOST_TEST(written.files == 1U);
    BOOST_REQUIRE(written.problems.size() == 1U);
    BOOST_TEST(written.problems[0] == first.path + ": it came twice, and the first copy counts");
    BOOST_TEST(write_coverage_report(output).machines[0].lines_run == 5U);
}

BOOST_FIXTURE_TEST_CASE(what_gcov_complains_about_is_said, compiled_program) {
    auto found = counters("x");
    const auto checksum_of_main = found.content.find("\0\0\0\x01\x0c\0\0\0"s) + 12;
    found.content[checksum_of_main] = static_cast<char>(found.content[checksum_of_main] ^ 1);
    (void)shard("web", "one", files({found}));
    const auto report = write_coverage_report(output);
    BOOST_REQUIRE(report.problems.size() == 1U);
    BOOST_TEST(report.problems[0].find("web, one: gcov says: ") == 0U, report.problems[0]);
    BOOST_TEST(report.problems[0].find("profile mismatch for 'main'") != std::string::npos, report.problems[0]);
}

BOOST_FIXTURE_TEST_CASE(without_genhtml_the_coverage_is_complete, compiled_program) {
    (void)shard("web", "one", files({counters("x")}));
    const std::string path = ::getenv("PATH");
    ::setenv("PATH", guest.c_str(), 1);
    const auto report = write_coverage_report(output);
    ::setenv("PATH", path.c_str(), 1);
    BOOST_TEST(report.problems.empty());
    BOOST_TEST(report.html.empty());
    const auto summary = summary_of(report);
    BOOST_TEST(summary.find("NOT COMPLETE") == std::string::npos);
    BOOST_TEST(summary.find("genhtml is not installed (Debian package lcov)") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_source_that_is_gone_does_not_cost_the_html, compiled_program,
                        *boost::unit_test::precondition(has_genhtml)) {
    (void)shard("web", "one", files({counters("x")}));
    fs::remove(fs::path(build.folder) / "tree" / guest.relative_path() / "demo.c");
    const auto report = write_coverage_report(output);
    BOOST_TEST(content(report.html).find("demo") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(overloads_stay_apart, *boost::unit_test::precondition(has_genhtml)) {
    const compiled_program program("demo.cc",
                                   "int f(int, int) { return 1; }\n"
                                   "int f(int, char) { return 2; }\n"
                                   "int main() { return f(1, 2) - 1; }\n");
    (void)program.shard("web", "one", files({program.counters("")}));
    const auto report = write_coverage_report(program.output);
    BOOST_TEST(content(report.tracefile).find("FNDA:1,_Z1fii\n") != std::string::npos);
    BOOST_TEST(content(report.tracefile).find("FNDA:0,_Z1fic\n") != std::string::npos);
    std::string functions;
    for (const auto& entry : fs::recursive_directory_iterator(program.output / "html")) {
        functions += entry.path().string().ends_with("func.html") ? content(entry.path()) : "";
    }
    BOOST_TEST(functions.find("f(int, int)") != std::string::npos);
    BOOST_TEST(functions.find("f(int, char)") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(cases_that_lcov_would_take_for_one_get_a_number, compiled_program) {
    (void)shard("web", "a/b_c", files({counters("")}));
    (void)shard("web", "a_b/c", files({counters("")}));
    const auto text = content(write_coverage_report(output).by_case);
    BOOST_TEST(text.find("TN:web__a_b_c\n") != std::string::npos);
    BOOST_TEST(text.find("TN:web__a_b_c_2\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_gcov_output_is_refused) {
    line_counts counts;
    BOOST_CHECK_THROW(add_gcov_output(counts, "{\"files\": 3}\n", {"/build", "/coverage/x"}), error);
    BOOST_CHECK_THROW(add_gcov_output(counts, "nonsense\n", {"/build", "/coverage/x"}), error);
}

BOOST_AUTO_TEST_SUITE_END()
