// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <boost/test/unit_test_parameters.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/guardian.hpp>
#include <vmdsl/report/boost_test.hpp>
#include <vmdsl/report/command_line.hpp>
#include <vmdsl/report/spec_main.hpp>
#include <vmdsl/report/supervisor.hpp>

namespace vmdsl::detail {

/// Boost.Test prints its help to standard error; one help text goes to one stream.
class one_stream_for_help {
public:
    explicit one_stream_for_help(bool wanted) : previous_(wanted ? std::cerr.rdbuf(std::cout.rdbuf()) : nullptr) {}
    ~one_stream_for_help() {
        if (previous_ != nullptr) {
            std::cout.flush();
            std::cerr.rdbuf(previous_);
        }
    }
    one_stream_for_help(const one_stream_for_help&) = delete;
    one_stream_for_help& operator=(const one_stream_for_help&) = delete;

private:
    std::streambuf* previous_;
};

/// Names the option of ours that may have been meant by one that Boost.Test did not know.
inline void suggest_option(const std::vector<std::string>& arguments) {
    for (const auto& argument : arguments) {
        if (argument == "--") {
            return;
        }
        if (const auto nearest = nearest_option(argument); argument.starts_with("--") && !nearest.empty()) {
            std::cerr << "vmdsl: did you mean its option " << nearest << " (instead of " << argument << ")?\n";
        }
    }
}

/// Boost.Test passes over what it can't make sense of; a name of a case, for example, would run all of them.
inline bool refuse_stray_arguments(const std::vector<std::string>& arguments) {
    const auto separator = std::find(arguments.begin(), arguments.end(), "--");
    const auto for_the_spec = std::distance(separator, arguments.end()) - (separator == arguments.end() ? 0 : 1);
    const auto& suite = boost::unit_test::framework::master_test_suite();
    if (suite.argc - 1 <= for_the_spec) {
        return false;
    }
    const std::string stray = suite.argv[1];
    std::cerr << "vmdsl: \"" << stray << "\" is no option; cases are chosen with --run_test=" << stray
              << ", and the spec's own arguments stand after --\n";
    return true;
}

/// What Boost.Test makes of its arguments.
enum class boost_test_says { run, done, wrong };

inline boost_test_says ask_boost_test(const command_line& line, std::vector<char*>& arguments) {
    namespace ut = boost::unit_test;
    const auto count = static_cast<int>(arguments.size()) - 1;
    const auto do_nothing = [] { return true; };
    try {
        const one_stream_for_help redirected(line.help);
        ut::framework::init(do_nothing, count, arguments.data());
    } catch (const ut::framework::nothing_to_test& nothing) {
        if (nothing.m_result_code == 0) {
            return boost_test_says::done;
        }
        suggest_option(line.boost_arguments);
        return boost_test_says::wrong;
    } catch (const ut::framework::setup_error& problem) {
        std::cerr << "Test setup error: " << problem.what() << '\n';
        return boost_test_says::wrong;
    }
    if (refuse_stray_arguments(line.boost_arguments)) {
        return boost_test_says::wrong;
    }
    if (ut::runtime_config::get<ut::output_format>(ut::runtime_config::btrt_list_content) == ut::OF_INVALID &&
        !ut::runtime_config::get<bool>(ut::runtime_config::btrt_list_labels)) {
        return boost_test_says::run;
    }
    return ut::unit_test_main(do_nothing, count, arguments.data()) == 0 ? boost_test_says::done
                                                                        : boost_test_says::wrong;
}

inline int supervisor_main(const std::vector<std::string>& given) {
    namespace ut = boost::unit_test;
    const auto line = parse_command_line(given);
    auto boost_texts = line.boost_arguments;
    if (line.help) {
        std::cout << option_help();
        boost_texts.insert(boost_texts.begin() + 1, "--help");
    }
    if (::isatty(STDOUT_FILENO) == 0) {
        ::setenv("BOOST_TEST_COLOR_OUTPUT", "no", 0);
    }
    std::vector<char*> arguments;
    for (auto& text : boost_texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);
    switch (ask_boost_test(line, arguments)) {
        case boost_test_says::done:
            return 0;
        case boost_test_says::wrong:
            return static_cast<int>(exit_code::usage);
        case boost_test_says::run:
            break;
    }
    const int code = supervise(line);
    const bool wanted = ut::runtime_config::get<bool>(ut::runtime_config::btrt_result_code);
    const bool verdict =
        code == static_cast<int>(exit_code::failed) || code == static_cast<int>(exit_code::could_not_run);
    return wanted || !verdict ? code : 0;
}

VMDSL_DECL int spec_main(int argc, char** argv) {
    const std::vector<char*> arguments(argv, argv + argc);
    const std::string_view role = argc > 1 ? argv[1] : "";
    try {
        if (role == guardian_argument) {
            return guardian_main({arguments.begin() + 2, arguments.end()});
        }
        if (role == worker_argument) {
            return worker_main(arguments);
        }
        return supervisor_main({arguments.begin(), arguments.end()});
    } catch (const usage_error& problem) {
        std::cerr << "vmdsl: " << problem.what() << '\n';
        return static_cast<int>(exit_code::usage);
    } catch (const std::exception& problem) {
        std::cerr << "vmdsl: " << problem.what() << '\n';
        return static_cast<int>(exit_code::could_not_run);
    }
}

}  // namespace vmdsl::detail
