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

#include <boost/test/tree/observer.hpp>
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/guardian.hpp>
#include <vmdsl/report/boost_test.hpp>
#include <vmdsl/report/command_line.hpp>
#include <vmdsl/report/interactive.hpp>
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

/// Takes over when Boost.Test is about to run cases: it has read its arguments, answered what it answers alone (lists,
/// help), and found cases that match. They run in workers; this process leaves Boost.Test by exit().
class takeover : public boost::unit_test::test_observer {
public:
    explicit takeover(const command_line& line) : line_(line) {}

    void test_start(boost::unit_test::counter_t, boost::unit_test::test_unit_id) override { std::exit(run()); }

    /// Before all others: Boost.Test's own log must not say that cases run here.
    int priority() override { return -1000; }

private:
    int run() const noexcept {
        try {
            if (refuse_stray_arguments(line_.boost_arguments)) {
                return static_cast<int>(exit_code::usage);
            }
            return line_.interactive ? run_interactively(line_) : supervise(line_);
        } catch (const std::exception& problem) {
            std::cerr << "vmdsl: " << problem.what() << '\n';
            return static_cast<int>(exit_code::could_not_run);
        }
    }

    const command_line& line_;
};

inline takeover*& the_takeover() {
    static takeover* observer = nullptr;
    return observer;
}

inline int supervisor_main(const std::vector<std::string>& given) {
    const auto line = parse_command_line(given);
    auto boost_texts = line.boost_arguments;
    if (line.help) {
        std::cout << option_help();
        boost_texts.insert(boost_texts.begin() + 1, "--help");
    }
    std::vector<char*> arguments;
    arguments.reserve(boost_texts.size() + 1);
    for (auto& text : boost_texts) {
        arguments.push_back(text.data());
    }
    set_boost_test_defaults(arguments);
    arguments.push_back(nullptr);
    takeover observer(line);
    the_takeover() = &observer;
    const one_stream_for_help redirected(line.help);
    const auto set_up = [] {
        take_back_boost_test_defaults();
        boost::unit_test::framework::register_observer(*the_takeover());
        return true;
    };
    const int code = boost::unit_test::unit_test_main(set_up, static_cast<int>(arguments.size()) - 1, arguments.data());
    if (code == 0) {
        return 0;
    }
    suggest_option(line.boost_arguments);
    return static_cast<int>(exit_code::usage);
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
