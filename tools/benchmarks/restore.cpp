// SPDX-License-Identifier: BSL-1.0
// Two systemd machines with Apache (512 MiB and one processor each, the default): booted, saved once, and restored
// again and again, to the first command answered on every machine and to the first HTTP request served.
//
// usage: restore (with VMDSL_IMAGE_PATH naming the images' folder)

#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/guest.hpp>

#include "figures.hpp"

using namespace vmdsl;
using namespace std::chrono_literals;

namespace {

network_plan two_servers() {
    network_plan plan;
    plan.segments = {"lan"};
    for (const auto* name : {"one", "two"}) {
        machine_plan machine;
        machine.name = name;
        machine.image = "svn-server";
        machine.memory_bytes = 512ULL << 20;
        machine.segments = {"lan"};
        plan.machines.push_back(machine);
    }
    return plan;
}

constexpr const char* request = "svn info http://localhost/repos/demo";

void prepare(detail::network_core& network) {
    network.start(5min, source_location::current());
    for (std::size_t i = 0; i < 2; ++i) {
        guest machine(network, i);
        machine.wait_for_unit("apache2.service").wait_for_open_port(80);
    }
    for (std::size_t i = 0; i < 2; ++i) {
        guest(network, i).run(request);
    }
}

/// Asks all machines at once, as a spec with threads would.
void ask_all(detail::network_core& network, const char* command) {
    std::thread other([&] { guest(network, 1).run(command); });
    guest(network, 0).run(command);
    other.join();
}

}  // namespace

int main() try {
    const auto plan = two_servers();
    std::shared_ptr<const detail::network_snapshot> snapshot;
    double boot = 0;
    {
        detail::network_core template_network(plan);
        boot = bench::seconds_of([&] { snapshot = template_network.record([&] { prepare(template_network); }); });
    }
    std::printf("%-34s %.3f s (once)\n", "boot, prepare and save", boot);

    bench::samples first_command("restore to `true` on both");
    bench::samples first_request("restore to the first HTTP request");
    bench::samples warm_request("a later request");
    for (int round = 0; round < 21; ++round) {
        detail::network_core clone(plan);
        const auto begin = std::chrono::steady_clock::now();
        const auto so_far = [&] {
            return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
        };
        clone.restore(snapshot, [&] { prepare(clone); });
        ask_all(clone, "true");
        const auto answered = so_far();
        ask_all(clone, request);
        const auto served = so_far();
        ask_all(clone, request);
        if (round == 0) {
            continue;  // the host's page cache
        }
        first_command.add(answered);
        first_request.add(served);
        warm_request.add(so_far() - served);
    }
    first_command.print("ms");
    first_request.print("ms");
    warm_request.print("ms");
    bench::print_json({{"boot_over_restore", boot * 1000 / first_command.median()},
                       {"restore_p50_ms", first_command.median()},
                       {"restore_http_p50_ms", first_request.median()},
                       {"warm_request_p50_ms", warm_request.median()}});
} catch (const std::exception& problem) {
    std::fprintf(stderr, "restore: %s\n", problem.what());
    return 69;
}
