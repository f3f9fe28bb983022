// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <csignal>
#include <iostream>
#include <string>

#include <unistd.h>

#include <vmdsl/core/error.hpp>

#include "command.hpp"
#include "conversation.hpp"
#include "line_editor.hpp"
#include "network_choice.hpp"

namespace vmdsl::cli {

namespace {

int run_prompt(const vmdsl::detail::running_network& network, bool owner) {
    const bool person = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    if (person || owner) {
        (void)converse(network.folder, "machines", input_use::none);
    }
    if (person) {
        std::cout << "help lists the commands, quit "
                  << (owner ? "ends the network" : "leaves, and the network goes on") << std::endl;
    }
    line_editor editor("vmdsl> ", [&](std::string_view beginning) { return candidates(network.folder, beginning); });
    int code = 0;
    while (const auto line = editor.read()) {
        const auto first = line->find_first_not_of(" \t");
        const auto text = line->substr(std::min(first, line->size()), line->find_last_not_of(" \t\r") + 1);
        if (text == "quit" || text == "exit") {
            break;
        }
        if (!text.empty()) {
            code = converse(network.folder, text, input_use::none);
        }
    }
    return code;
}

int run_attach(const words& given) {
    auto rest = given;
    const auto wanted = take_network_option(rest);
    const bool owner = std::erase(rest, "--owner") > 0;
    if (!rest.empty()) {
        throw usage_error("attach does not know \"" + rest.front() + "\"; see vmdsl attach --help");
    }
    const auto network = choose_network(wanted);
    keep_terminal_modes();
    ::signal(SIGTSTP, SIG_IGN);  // the program that started this one would be stopped with it
    const int code = run_prompt(network, owner);
    put_terminal_modes_back();
    return code;
}

int run_shell(const words& given) {
    auto rest = given;
    const auto wanted = take_network_option(rest);
    if (rest.empty()) {
        throw usage_error("name a machine: vmdsl shell NAME");
    }
    const auto network = choose_network(wanted);
    std::string line = "shell";
    for (const auto& word : rest) {
        line += " " + word;
    }
    keep_terminal_modes();
    return converse(network.folder, line, input_use::forwarded);
}

}  // namespace

const command attach{
    "attach", "a prompt on a network that is running",
    "usage: vmdsl attach [--network WHICH]\n\n"
    "Gives you a prompt on a network that `PROGRAM --interactive` or `vmdsl run PROGRAM` keeps running, from\n"
    "another terminal. `help` lists what can be asked there. Leaving it does not end the network.\n"
    "Commands that come from a file or a pipe are done one by one; the exit code is the last one's.\n"
    "WHICH is needed where several run: the network's id or the beginning of it, its program's name, or\n"
    "its folder.\n"
    "--owner changes the words of the greeting; the program that runs the network says it.\n",
    &run_attach};

const command shell{
    "shell", "a root shell in a machine of a network that is running",
    "usage: vmdsl shell [--network WHICH] NAME [COMMAND...]\n\n"
    "A root shell in machine NAME, or one shell command. Your terminal becomes the guest's: its size, and\n"
    "every key but Ctrl-], which leaves and hangs the shell up. Where input or output is no terminal, the\n"
    "command's streams are yours.\n"
    "WHICH is needed where several networks run: the id or the beginning of it, the program's name, or the\n"
    "folder. Exit code: the command's; 64 wrong usage, 69 no such network.\n",
    &run_shell};

}  // namespace vmdsl::cli
