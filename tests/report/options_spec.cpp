// SPDX-License-Identifier: BSL-1.0
// A spec that tells what it was given: options, folders, arguments, standard input.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>

namespace {

std::string variable(const char* name) {
    const char* text = ::getenv(name);
    return text == nullptr ? "(not set)" : text;
}

void tell(const std::string& name, const std::string& value) {
    vmdsl::emit(vmdsl::event_kind::note, {}, {{"text", name}, {"value", value}});
}

}  // namespace

BOOST_AUTO_TEST_CASE(tells) {
    const auto& run = vmdsl::current_run();
    tell("output_directory", run.output_directory);
    tell("scratch_directory", run.scratch_directory);
    tell("acceleration", run.acceleration);
    tell("case_timeout", std::to_string(run.case_timeout.count()));
    tell("interactive", run.interactive ? "yes" : "no");
    tell("verbose", run.verbose ? "yes" : "no");
    tell("temporary", std::filesystem::temp_directory_path());
    tell("BOOST_TEST_LOG_LEVEL", variable("BOOST_TEST_LOG_LEVEL"));
    tell("BOOST_TEST_CATCH_SYSTEM_ERRORS", variable("BOOST_TEST_CATCH_SYSTEM_ERRORS"));
    const auto& suite = boost::unit_test::framework::master_test_suite();
    for (int i = 1; i < suite.argc; ++i) {
        tell("argument", suite.argv[i]);
    }
    std::string line;
    std::getline(std::cin, line);
    tell("input", line);
    BOOST_TEST(std::filesystem::is_directory(run.output_directory));
    BOOST_TEST(std::filesystem::is_directory(run.scratch_directory));
}
