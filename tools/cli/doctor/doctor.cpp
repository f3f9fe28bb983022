// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <array>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <unistd.h>

#include <boost/json.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/file_content.hpp>
#include <vmdsl/report/supervisor.hpp>

#include "command.hpp"
#include "doctor/finding.hpp"

namespace vmdsl::cli {

std::string read_text(const std::string& path) {
    try {
        return vmdsl::detail::content_of(path);
    } catch (const could_not_run&) {
        return {};
    }
}

std::string install_command(std::string_view packages) {
    const bool has_apt = ::access("/usr/bin/apt-get", X_OK) == 0;
    const std::string list(packages);
    return has_apt ? (::geteuid() == 0 ? "" : "sudo ") + std::string("apt-get install --no-install-recommends ") + list
                   : "install what your system calls Debian's " + list;
}

namespace {

struct topic {
    std::string_view name;
    std::string_view purpose;
    findings (*look)();
};

constexpr std::array<topic, 3> topics{{{"run", "to run tests", &look_at_running},
                                       {"images", "to build guest images", &look_at_images},
                                       {"develop", "to compile specs", &look_at_developing}}};

struct answer {
    topic about;
    findings found;
};

std::string_view word_of(health state) {
    switch (state) {
        case health::good:
            return "ok";
        case health::costly:
            return "costly";
        case health::missing:
            break;
    }
    return "missing";
}

void print(const std::vector<answer>& answers) {
    for (const auto& each : answers) {
        std::cout << "What this host has " << each.about.purpose << ":\n";
        for (const auto& one : each.found) {
            std::string column = "  " + std::string(word_of(one.state));
            column.resize(11, ' ');
            std::cout << column << one.id << ": " << one.text << '\n';
            if (!one.remedy.empty()) {
                std::cout << "             mend it with: " << one.remedy << '\n';
            }
        }
    }
}

void print_json(const std::vector<answer>& answers, bool well) {
    boost::json::array list;
    for (const auto& each : answers) {
        for (const auto& one : each.found) {
            list.push_back({{"topic", each.about.name},
                            {"id", one.id},
                            {"state", word_of(one.state)},
                            {"text", one.text},
                            {"remedy", one.remedy}});
        }
    }
    std::cout << boost::json::serialize(boost::json::value{{"ok", well}, {"findings", std::move(list)}}) << '\n';
}

int run_doctor(const words& given) {
    bool json = false;
    std::vector<topic> wanted;
    for (const auto& word : given) {
        const auto* const found =
            std::find_if(topics.begin(), topics.end(), [&](const topic& each) { return each.name == word; });
        if (word == "--json") {
            json = true;
        } else if (found != topics.end()) {
            wanted.push_back(*found);
        } else {
            throw usage_error("doctor does not know \"" + word + "\"; it takes run, images, develop and --json");
        }
    }
    if (wanted.empty()) {
        wanted = {topics[0], topics[1]};
    }
    std::vector<answer> answers;
    std::ptrdiff_t missing = 0;
    for (const auto& about : wanted) {
        answers.push_back({about, about.look()});
        const auto& found = answers.back().found;
        missing +=
            std::count_if(found.begin(), found.end(), [](const finding& one) { return one.state == health::missing; });
    }
    if (json) {
        print_json(answers, missing == 0);
    } else {
        print(answers);
        std::cout << (missing == 0
                          ? std::string("Nothing that is needed is missing.")
                          : std::to_string(missing) + (missing == 1 ? " thing is missing." : " things are missing."))
                  << '\n';
    }
    return static_cast<int>(missing == 0 ? exit_code::passed : exit_code::could_not_run);
}

}  // namespace

const command doctor{"doctor", "what this host has and lacks, and how to mend it",
                     "usage: vmdsl doctor [run] [images] [develop] [--json]\n\n"
                     "Says what this host has and lacks to run tests (run), to build guest images (images) and to\n"
                     "compile specs (develop), with the command that mends each. Without a topic: run and images.\n"
                     "--json prints one JSON object instead: {\"ok\", \"findings\": [{\"topic\", \"id\", \"state\",\n"
                     "\"text\", \"remedy\"}]}, where a state is ok, costly (it works, but slower) or missing.\n"
                     "Exit code: 0 nothing that is needed is missing, 69 something is, 64 wrong usage.\n",
                     &run_doctor};

}  // namespace vmdsl::cli
