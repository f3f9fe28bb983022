// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/report/result_files.hpp>

namespace {

namespace fs = std::filesystem;
using namespace vmdsl;

std::string content_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

fs::path make_folder(const std::string& name) {
    const auto folder = current_run().scratch_directory / name;
    fs::create_directory(folder);
    return folder;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(result_files_)

BOOST_AUTO_TEST_CASE(an_earlier_runs_results_are_gone_at_once) {
    const auto folder = make_folder("earlier");
    std::ofstream(folder / "junit.xml") << "old";
    std::ofstream(folder / "events.jsonl") << "old";
    const result_files files(folder, {"lab", "now", "host", {}});
    BOOST_TEST(content_of(files.junit_path()).find("tests=\"1\" failures=\"0\" errors=\"1\"") != std::string::npos);
    BOOST_TEST(content_of(files.events_path()).empty());
}

BOOST_AUTO_TEST_CASE(results_are_there_while_the_run_goes_on) {
    result_files files(make_folder("growing"), {"lab", "now", "host", {}});
    files.append_event("{1}");
    files.append_event("{2}");
    BOOST_TEST(content_of(files.events_path()) == "{1}\n{2}\n");
    run_record run;
    run.apply({{}, event_kind::case_skipped, {}, {{"name", std::string("a")}}});
    files.write_junit(run, run_stage::ended);
    BOOST_TEST(content_of(files.junit_path()).find("tests=\"1\"") != std::string::npos);
    BOOST_TEST(files.failure().empty());
}

BOOST_AUTO_TEST_CASE(a_full_disk_is_remembered) {
    const auto folder = make_folder("full");
    fs::create_symlink("/dev/full", folder / "events.jsonl");
    result_files files(folder, {"lab", "now", "host", {}});
    files.append_event("{1}");
    BOOST_TEST(files.failure().find("No space left on device") != std::string::npos);
    BOOST_TEST(files.failure().find("Free some space") != std::string::npos);
    const auto first = files.failure();
    fs::remove_all(folder);
    files.write_junit({}, run_stage::ended);
    BOOST_TEST(files.failure() == first);
}

BOOST_AUTO_TEST_CASE(a_folder_that_vanished_is_remembered) {
    const auto folder = make_folder("vanished");
    result_files files(folder, {"lab", "now", "host", {}});
    fs::remove_all(folder);
    files.write_junit({}, run_stage::ended);
    BOOST_TEST(files.failure().find("junit.xml") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_there_is_refused) {
    BOOST_CHECK_THROW(result_files("/proc/nowhere", {"lab", "now", "host", {}}), could_not_run);
}

BOOST_AUTO_TEST_SUITE_END()
