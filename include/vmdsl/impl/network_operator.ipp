// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <vmdsl/core/error.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_operator.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/guest.hpp>
#include <vmdsl/net/addressing.hpp>

namespace vmdsl::detail {

/// What a verb wants after its name.
enum class operand : std::uint8_t {
    nothing,
    machine,
    machine_and_segment,
    machine_and_port,
    machine_and_command,
    machine_and_file,
};

struct operator_verb {
    std::string_view name;
    operand wants;
    std::string_view usage;
    std::string_view summary;
};

inline constexpr std::array<operator_verb, 14> operator_verbs{{
    {"console", operand::machine, "console NAME", "the last lines that it wrote to its console"},
    {"crash", operand::machine, "crash NAME", "take its power away"},
    {"cut", operand::machine_and_segment, "cut NAME [SEGMENT]", "cut its cable: every frame is lost, until heal"},
    {"forward", operand::machine_and_port, "forward NAME PORT", "a port of localhost that leads to a TCP port of it"},
    {"heal", operand::machine_and_segment, "heal NAME [SEGMENT]", "mend its cable"},
    {"help", operand::nothing, "help", "this text"},
    {"machines", operand::nothing, "machines", "all machines, their addresses and ports"},
    {"quit", operand::nothing, "quit", "leave (as Ctrl-D does)"},
    {"reboot", operand::machine, "reboot NAME", "restart it in order"},
    {"run", operand::machine_and_command, "run NAME COMMAND", "run a shell command as root"},
    {"screenshot", operand::machine_and_file, "screenshot NAME [FILE]", "a picture (PNG) of its screen"},
    {"shell", operand::machine, "shell NAME", "a root shell; Ctrl-] leaves it"},
    {"shutdown", operand::machine, "shutdown NAME", "switch it off in order"},
    {"start", operand::machine, "start NAME", "switch it on"},
}};

inline const operator_verb* find_operator_verb(std::string_view name) {
    const auto* const found = std::find_if(operator_verbs.begin(), operator_verbs.end(),
                                           [&](const operator_verb& each) { return each.name == name; });
    return found == operator_verbs.end() ? nullptr : found;
}

inline std::string_view take_operator_word(std::string_view& rest) {
    constexpr std::string_view blanks = " \t";
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    const auto word = rest.substr(0, rest.find_first_of(blanks));
    rest.remove_prefix(word.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
    return word;
}

inline std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const auto& name : names) {
        text.append(text.empty() ? "" : ", ").append(name);
    }
    return text;
}

/// In columns, so that a person finds things.
inline void pad_to(std::string& line, std::size_t column) {
    line.resize(std::max(line.size() + 2, column), ' ');
}

VMDSL_DECL network_operator::question network_operator::parse(std::string_view line) {
    line = line.substr(0, line.find_last_not_of(" \t\r\n") + 1);
    question asked;
    asked.verb = take_operator_word(line);
    asked.machine = take_operator_word(line);
    asked.rest = line;
    const auto* const verb = find_operator_verb(asked.verb);
    if (verb == nullptr) {
        throw usage_error("there is no command \"" + asked.verb + "\"; help lists them");
    }
    const bool wants_machine = verb->wants != operand::nothing;
    const bool must_go_on = verb->wants == operand::machine_and_command || verb->wants == operand::machine_and_port;
    const bool may_go_on = must_go_on || verb->wants == operand::machine_and_segment ||
                           verb->wants == operand::machine_and_file ||
                           asked.verb == "shell";  // `shell NAME COMMAND` from outside
    if (wants_machine == asked.machine.empty() || (!may_go_on && !asked.rest.empty()) ||
        (must_go_on && asked.rest.empty())) {
        throw usage_error("write: " + std::string(verb->usage));
    }
    return asked;
}

VMDSL_DECL std::size_t network_operator::machine_named(std::string_view name) const {
    const auto& machines = core_->plan().machines;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < machines.size(); ++i) {
        if (machines[i].name == name) {
            return i;
        }
        names.push_back(machines[i].name);
    }
    throw usage_error("there is no machine \"" + std::string(name) + "\"; there is " + joined(names));
}

inline std::string state_of(const machine_runtime& machine) {
    try {
        return machine.switched_on() ? "running" : "off";
    } catch (const machine_died& death) {
        return "dead: " + death.details().what_failed;
    }
}

inline std::string describe_forward(machine_runtime& machine, std::uint16_t guest_port) {
    return "localhost:" + std::to_string(machine.forwarded(guest_port)) + " is its port " + std::to_string(guest_port);
}

inline std::uint16_t parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, port);
    if (result.ec != std::errc{} || result.ptr != end || port == 0) {
        throw usage_error("\"" + std::string(text) + "\" is no port: write a number from 1 to 65535");
    }
    return port;
}

VMDSL_DECL std::string network_operator::describe_machine(std::size_t index) const {
    const auto& plan = core_->plan().machines[index];
    auto& machine = core_->machine(index);
    std::string line = "  " + plan.name;
    pad_to(line, 14);
    line += state_of(machine);
    pad_to(line, 24);
    for (const auto& address : nic_addresses(core_->plan(), plan.name)) {
        const auto link = core_->runtime().links().link(plan.name, address.segment);
        line += address.ipv4.substr(0, address.ipv4.find('/')) + " " + address.ipv6.substr(0, address.ipv6.find('/')) +
                " (" + address.segment + (link.cut ? ", cut)  " : ")  ");
    }
    for (const auto& forward : plan.forwards) {
        line += describe_forward(machine, forward.guest_port) + "  ";
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
}

VMDSL_DECL std::string network_operator::describe_machines() const {
    std::string text;
    for (std::size_t i = 0; i < core_->plan().machines.size(); ++i) {
        text += describe_machine(i);
    }
    return text;
}

inline std::string operator_help() {
    std::string text;
    for (const auto& verb : operator_verbs) {
        std::string line = "  " + std::string(verb.usage);
        pad_to(line, 26);
        text.append(line).append(verb.summary).append("\n");
    }
    return text;
}

VMDSL_DECL void network_operator::cut_or_heal(const question& asked) const {
    const auto& plan = core_->plan().machines[machine_named(asked.machine)];
    const auto& segments = plan.segments;
    const bool known = std::find(segments.begin(), segments.end(), asked.rest) != segments.end();
    if (asked.rest.empty() ? segments.size() != 1 : !known) {
        throw usage_error("name one of the segments that " + plan.name + " is on: " + joined(segments));
    }
    const auto& segment = asked.rest.empty() ? segments.front() : asked.rest;
    if (asked.verb == "cut") {
        core_->cut(plan.name, segment);
    } else {
        core_->heal(plan.name, segment);
    }
}

VMDSL_DECL std::string network_operator::perform(const question& asked) const {
    if (asked.verb == "machines") {
        return describe_machines();
    }
    if (asked.verb == "help") {
        return operator_help();
    }
    if (asked.verb == "cut" || asked.verb == "heal") {
        cut_or_heal(asked);
        return {};
    }
    const auto index = machine_named(asked.machine);
    if (asked.verb == "forward") {
        const auto port = parse_port(asked.rest);
        return describe_forward(core_->machine(index), port) + "\n";
    }
    guest machine(*core_, index);
    if (asked.verb == "console") {
        return machine.console_tail() + "\n";
    }
    if (asked.verb == "screenshot") {
        return machine.screenshot(asked.rest.empty() ? asked.machine + ".png" : asked.rest).string() + "\n";
    }
    if (asked.verb == "start") {
        machine.start();
    } else if (asked.verb == "shutdown") {
        machine.shutdown();
    } else if (asked.verb == "crash") {
        machine.crash();
    } else if (asked.verb == "reboot") {
        machine.reboot();
    }
    return describe_machine(index);
}

VMDSL_DECL std::vector<std::string> network_operator::complete(std::string_view beginning) const {
    std::vector<std::string> known;
    std::vector<std::string> words;
    for (auto rest = beginning; !rest.empty();) {
        words.emplace_back(take_operator_word(rest));
    }
    if (beginning.empty() || beginning.back() == ' ') {
        words.emplace_back();
    }
    const auto* const verb = find_operator_verb(words.front());
    if (words.size() == 1) {
        for (const auto& each : operator_verbs) {
            known.emplace_back(each.name);
        }
    } else if (words.size() == 2 && verb != nullptr && verb->wants != operand::nothing) {
        for (const auto& machine : core_->plan().machines) {
            known.push_back(machine.name);
        }
    } else if (words.size() == 3 && verb != nullptr && verb->wants == operand::machine_and_segment) {
        for (const auto& machine : core_->plan().machines) {
            if (machine.name == words[1]) {
                known = machine.segments;
            }
        }
    }
    std::erase_if(known, [&](const std::string& name) { return !name.starts_with(words.back()); });
    std::sort(known.begin(), known.end());
    return known;
}

}  // namespace vmdsl::detail
