// SPDX-License-Identifier: BSL-1.0
// Boots, interleaved: the bare kernel with the same devices to its init; the tiny image to its agent's first answer; a
// systemd image to the end of its boot.
//
// usage: boot BARE_INITRD (with VMDSL_IMAGE_PATH naming the images' folder)

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/qemu/image.hpp>
#include <vmdsl/qemu/machine_process.hpp>
#include <vmdsl/qemu/memory_file.hpp>
#include <vmdsl/qemu/program.hpp>

#include "figures.hpp"

using namespace vmdsl;
using namespace std::chrono_literals;

namespace {

network_plan plan_of(const std::string& image, std::uint64_t mib) {
    network_plan plan;
    plan.segments = {"lan"};
    machine_plan machine;
    machine.name = "machine";
    machine.image = image;
    machine.memory_bytes = mib << 20;
    machine.segments = {"lan"};
    plan.machines.push_back(machine);
    return plan;
}

/// The same kernel, memory and devices as the tiny image, but an initrd that holds one program.
double boot_bare(const std::string& initrd) {
    const auto image = find_image("tiny");
    qemu_configuration configuration;
    configuration.name = "bare";
    configuration.uuid = machine_uuid("bare");
    configuration.accelerator = choose_accelerator(current_run().acceleration, image.kernel);
    configuration.memory_bytes = 128ULL << 20;
    configuration.kernel = image.kernel;
    configuration.initrd = initrd;
    configuration.kernel_arguments = image.kernel_arguments;
    const auto plan = plan_of("tiny", 128);
    fabric network(plan);
    std::vector<unique_fd> cables;
    cables.push_back(network.attach("machine", 0));
    configuration.nics.push_back({-1, nic_addresses(plan, "machine").front().mac});

    std::promise<void> reached;
    auto done = reached.get_future();
    std::string seen;
    bool said = false;
    machine_handlers handlers;
    handlers.console = [&](std::string_view bytes) {
        seen += bytes;
        if (!said && seen.find("bare init is running") != std::string::npos) {
            said = true;
            reached.set_value();
        }
    };
    const auto memory = make_memory_file("bare", configuration.memory_bytes);
    std::unique_ptr<machine_process> qemu;
    return bench::seconds_of([&] {
        qemu = std::make_unique<machine_process>(configuration, memory, std::move(cables), handlers, deadline::in(60s));
        if (done.wait_for(120s) != std::future_status::ready) {
            throw timed_out("the bare kernel did not reach its init; the console said: " + seen);
        }
    });
}

double boot_image(const std::string& image, std::uint64_t mib) {
    const auto network = detail::network_runtime::create(plan_of(image, mib));
    return bench::seconds_of([&] { network->boot_all(deadline::in(5min)); });
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: boot BARE_INITRD\n");
        return 64;
    }
    bench::samples bare("bare kernel to its init");
    bench::samples tiny("tiny image to its agent's answer");
    bench::samples systemd("systemd image, booted");
    (void)boot_bare(argv[1]);  // once uncounted: files into the page cache
    for (int round = 0; round < 9; ++round) {
        bare.add(boot_bare(argv[1]));
        tiny.add(boot_image("tiny", 128));
        if (round % 3 == 0) {
            systemd.add(boot_image("svn-server", 512));
        }
    }
    bare.print("s");
    tiny.print("s");
    systemd.print("s");
    bench::print_json({{"agent_over_bare_init", tiny.median() / bare.median()},
                       {"tiny_agent_s", tiny.median()},
                       {"systemd_ready_s", systemd.median()},
                       {"bare_init_s", bare.median()}});
} catch (const std::exception& problem) {
    std::fprintf(stderr, "boot: %s\n", problem.what());
    return 69;
}
