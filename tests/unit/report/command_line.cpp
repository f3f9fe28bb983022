// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/report/command_line.hpp>

namespace {

using namespace vmdsl;
using words = std::vector<std::string>;

command_line parse(words arguments) {
    arguments.insert(arguments.begin(), "/build/spec");
    return parse_command_line(arguments);
}

std::string refusal(const words& arguments) {
    try {
        parse(arguments);
    } catch (const usage_error& problem) {
        return problem.details().what_failed;
    }
    return "accepted";
}

/// Sets a variable for the length of a case.
struct variable {
    variable(const char* n, const char* value) : name(n) { ::setenv(name, value, 1); }
    ~variable() { ::unsetenv(name); }
    variable(const variable&) = delete;
    variable& operator=(const variable&) = delete;
    const char* name;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(command_line_)

BOOST_AUTO_TEST_CASE(defaults) {
    const auto line = parse({});
    BOOST_TEST(line.output == "vmdsl-results/spec");
    BOOST_TEST(line.case_timeout.count() == 300);
    BOOST_TEST(line.acceleration == "auto");
    BOOST_TEST(!(line.keep || line.quiet || line.verbose || line.interactive || line.attended || line.help));
    BOOST_TEST(line.boost_arguments == words{"/build/spec"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(our_options_are_taken_and_the_rest_is_left) {
    const auto line = parse({"--run_test=a", "--output", "x", "--case-timeout=7", "--accel", "tcg", "--keep", "-t", "b",
                             "--verbose", "--interactive", "--attended", "--help", "--", "--output", "y"});
    BOOST_TEST(line.output == "x");
    BOOST_TEST(line.case_timeout.count() == 7);
    BOOST_TEST(line.acceleration == "tcg");
    BOOST_TEST((line.keep && line.verbose && line.interactive && line.attended && line.help && !line.quiet));
    BOOST_TEST(line.boost_arguments == (words{"/build/spec", "--run_test=a", "-t", "b", "--", "--output", "y"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_last_one_counts) {
    BOOST_TEST(parse({"--output=a", "--output", "b"}).output == "b");
}

BOOST_AUTO_TEST_CASE(boost_tests_own_help_is_left) {
    const auto line = parse({"--help=run_test", "--quietly"});
    BOOST_TEST(!line.help);
    BOOST_TEST(!line.quiet);
    BOOST_TEST(line.boost_arguments.size() == 3U);
}

BOOST_AUTO_TEST_CASE(variables_count_where_no_option_is_given) {
    const variable output("VMDSL_OUTPUT", "from-variable");
    const variable timeout("VMDSL_CASE_TIMEOUT", "9");
    const variable quiet("VMDSL_QUIET", "1");
    const variable keep("VMDSL_KEEP", "0");
    const variable verbose("VMDSL_VERBOSE", "");
    const auto line = parse({"--case-timeout=8"});
    BOOST_TEST(line.output == "from-variable");
    BOOST_TEST(line.case_timeout.count() == 8);
    BOOST_TEST(line.quiet);
    BOOST_TEST(!line.keep);
    BOOST_TEST(!line.verbose);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_by_name) {
    BOOST_TEST(refusal({"--output"}) == "--output needs a value: --output DIR");
    BOOST_TEST(refusal({"--output="}) == "--output needs the name of a folder");
    BOOST_TEST(refusal({"--case-timeout", "-5"}) == "--case-timeout takes a whole number of seconds, not \"-5\"");
    BOOST_TEST(refusal({"--accel=xen"}) == "--accel takes auto, kvm or tcg, not \"xen\"");
    BOOST_TEST(refusal({"--quiet", "--verbose"}) == "--quiet and --verbose exclude each other");
    const variable accel("VMDSL_ACCEL", "xen");
    BOOST_TEST(refusal({}) == "VMDSL_ACCEL takes auto, kvm or tcg, not \"xen\"");
}

BOOST_AUTO_TEST_CASE(a_near_miss_finds_the_option) {
    BOOST_TEST(nearest_option("--outptu=x") == "--output");
    BOOST_TEST(nearest_option("--case_timeout=3") == "--case-timeout");
    BOOST_TEST(nearest_option("--verbos") == "--verbose");
    BOOST_TEST(nearest_option("--run_test=x").empty());
    BOOST_TEST(nearest_option("--random").empty());
    BOOST_TEST(nearest_option("").empty());
}

BOOST_AUTO_TEST_CASE(the_help_names_each_option_and_variable) {
    const auto help = option_help();
    for (const auto* word : {"--output DIR", "[VMDSL_OUTPUT]", "--case-timeout SECONDS", "--accel auto|kvm|tcg",
                             "--keep", "--quiet", "--verbose", "--interactive", "--attended", "VMDSL_SCRATCH_DIR"}) {
        BOOST_TEST(help.find(word) != std::string::npos, word);
    }
}

BOOST_AUTO_TEST_SUITE_END()
