// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include <sys/sysinfo.h>

#include <vmdsl/detail/machine_needs.hpp>

namespace vmdsl::detail {

VMDSL_DECL image_description image_of(const machine_plan& plan) {
    if (plan.kernel.empty()) {
        return find_image(plan.image);
    }
    image_description image;
    image.name = plan.kernel;
    image.kernel = plan.kernel;
    image.initrd = plan.initrd;
    image.kernel_arguments = {"console=ttyS0", "panic=-1"};
    for (const auto& path : {plan.kernel, plan.initrd}) {
        std::error_code ec;
        if (!std::filesystem::is_regular_file(path, ec)) {
            throw could_not_run("machine \"" + plan.name + "\" boots from " + path + ", which does not exist");
        }
    }
    return image;
}

VMDSL_DECL void check_memory(const machine_plan& plan) {
    struct sysinfo host {};
    if (::sysinfo(&host) != 0) {
        return;
    }
    const auto there = (host.totalram + host.totalswap) * std::uint64_t{host.mem_unit};
    if (plan.memory_bytes > there) {
        throw could_not_run("machine \"" + plan.name + "\" has " + std::to_string(plan.memory_bytes >> 20) +
                                " MiB of memory, but this host only " + std::to_string(there >> 20) + " MiB",
                            "Give it less with memory<>, or run the test on a larger host.");
    }
}

VMDSL_DECL could_not_run named(const could_not_run& problem, const machine_plan& plan) {
    auto d = problem.details();
    d.machine = plan.name;
    if (d.what_failed.find(std::strerror(ENOMEM)) != std::string::npos) {
        d.hint = "It has " + std::to_string(plan.memory_bytes >> 20) +
                 " MiB of memory: give it less with memory<>, or raise the limit (ulimit -v).";
    }
    return could_not_run(std::move(d));
}

}  // namespace vmdsl::detail
