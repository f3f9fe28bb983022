// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <unistd.h>

#include <vmdsl/core/error.hpp>

#include "command.hpp"

namespace vmdsl::cli {

namespace {

int run_program_interactively(const words& given) {
    if (given.empty() || given.front().starts_with("-")) {
        throw usage_error("name the program of a spec first: vmdsl run PROGRAM");
    }
    auto program = given.front();
    if (program.find('/') == std::string::npos && ::access(program.c_str(), X_OK) == 0) {
        program.insert(0, "./");
    }
    std::vector<std::string> texts = given;
    texts.insert(texts.begin() + 1, "--interactive");
    std::vector<char*> arguments;
    for (auto& text : texts) {
        arguments.push_back(text.data());
    }
    arguments.push_back(nullptr);
    ::execvp(program.c_str(), arguments.data());
    throw could_not_run("can't run " + given.front() + ": " + std::strerror(errno),
                        "Name the executable that add_vm_test made, with its folder.");
}

}  // namespace

const command run{
    "run", "boots a spec's network for you, with a prompt",
    "usage: vmdsl run PROGRAM [OPTION...]\n\n"
    "The same as PROGRAM --interactive [OPTION...]: boots the network that the first test case of the spec\n"
    "starts from, as its checkpoint prepares it, and gives you a prompt. --run_test=CASE names another case.\n"
    "No case runs. The network ends with the prompt.\n",
    &run_program_interactively};

}  // namespace vmdsl::cli
