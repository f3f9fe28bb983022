// SPDX-License-Identifier: BSL-1.0
#include "network_choice.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/error.hpp>

namespace vmdsl::cli {

namespace {

using vmdsl::detail::running_network;

std::string list(const std::vector<running_network>& networks) {
    std::string text;
    for (const auto& each : networks) {
        text += "\n  " + each.id + "  " + each.program + ", process " + std::to_string(each.pid);
    }
    return text;
}

bool is_meant(const running_network& network, const std::string& wanted) {
    return network.id.starts_with(wanted) || network.program == wanted || network.folder == wanted;
}

}  // namespace

std::string take_network_option(words& given) {
    constexpr std::string_view name = "--network";
    for (auto word = given.begin(); word != given.end() && word->starts_with("-"); ++word) {
        if (word->starts_with("--network=")) {
            auto value = word->substr(name.size() + 1);
            given.erase(word);
            return value;
        }
        if (*word == name) {
            if (std::next(word) == given.end()) {
                throw usage_error("--network needs a network's id, its program's name or its folder");
            }
            auto value = *std::next(word);
            given.erase(word, word + 2);
            return value;
        }
    }
    return {};
}

running_network choose_network(const std::string& wanted) {
    if (wanted.starts_with('/')) {
        return {wanted, wanted, "vmdsl", -1};
    }
    auto networks = vmdsl::detail::find_running_networks();
    if (networks.empty()) {
        throw could_not_run("no network of yours is running",
                            "Start one: vmdsl run PROGRAM, or PROGRAM --interactive.");
    }
    const auto all = networks;
    std::erase_if(networks, [&](const running_network& each) { return !is_meant(each, wanted); });
    if (networks.empty()) {
        throw could_not_run("no network \"" + wanted + "\" is running; there is" + list(all));
    }
    if (networks.size() > 1) {
        throw usage_error("several networks are running; say which one with --network ID:" + list(networks));
    }
    return networks.front();
}

}  // namespace vmdsl::cli
