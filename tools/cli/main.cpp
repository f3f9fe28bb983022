// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

#include <vmdsl/core/error.hpp>
#include <vmdsl/report/supervisor.hpp>

#include "command.hpp"

namespace {

using namespace vmdsl;

const std::array commands{&cli::run, &cli::shell, &cli::attach, &cli::doctor};

std::string names() {
    std::string text;
    for (const auto* each : commands) {
        text.append(text.empty() ? "" : ", ").append(each->name);
    }
    return text;
}

void print_help() {
    std::cout << "usage: vmdsl COMMAND [WORD...]\n\n";
    for (const auto* each : commands) {
        std::string column = "  " + std::string(each->name);
        column.resize(12, ' ');
        std::cout << column << each->summary << '\n';
    }
    std::cout << "\nvmdsl COMMAND --help says more. Exit code: 0 done, 64 wrong usage, 69 could not be done here.\n";
}

int run(const cli::words& given) {
    if (given.empty()) {
        throw usage_error("name a command (" + names() + "); see vmdsl --help");
    }
    if (given.front() == "--help" || given.front() == "-h") {
        print_help();
        return 0;
    }
    const auto found =
        std::find_if(commands.begin(), commands.end(), [&](const auto* each) { return each->name == given.front(); });
    if (found == commands.end()) {
        throw usage_error("there is no command \"" + given.front() + "\"; the commands are " + names());
    }
    if (given.size() > 1 && (given[1] == "--help" || given[1] == "-h")) {
        std::cout << (*found)->help;
        return 0;
    }
    return (*found)->run({given.begin() + 1, given.end()});
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return run({argv + 1, argv + argc});
    } catch (const usage_error& problem) {
        std::cerr << "vmdsl: " << problem.what() << '\n';
        return static_cast<int>(exit_code::usage);
    } catch (const std::exception& problem) {
        std::cerr << "vmdsl: " << problem.what() << '\n';
        return static_cast<int>(exit_code::could_not_run);
    }
}
