// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <sys/sysinfo.h>

#include <vmdsl/detail/machine_needs.hpp>

namespace vmdsl::detail {

VMDSL_DECL could_not_run named(const could_not_run& problem, const machine_plan& plan) {
    auto d = problem.details();
    d.machine = plan.name;
    if (d.what_failed.find(std::strerror(ENOMEM)) != std::string::npos) {
        d.hint = "It has " + std::to_string(plan.memory_bytes >> 20) +
                 " MiB of memory: give it less with memory<>, or raise the limit (ulimit -v).";
    }
    return could_not_run(std::move(d));
}

VMDSL_DECL image_description image_of(const machine_plan& plan) {
    try {
        if (plan.kernel.empty()) {
            return find_image(plan.image);
        }
        const std::string hint = "boot<> names it; a relative path begins in the folder that the test runs in.";
        require_file("the kernel", plan.kernel, hint);
        require_file("the initrd", plan.initrd, hint);
    } catch (const could_not_run& problem) {
        throw named(problem, plan);
    }
    image_description image;
    image.name = plan.kernel;
    image.kernel = plan.kernel;
    image.initrd = plan.initrd;
    image.kernel_arguments = {"console=ttyS0", "panic=-1"};
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

VMDSL_DECL usage_error misuse_of(const machine_plan& plan, std::string what_failed, std::string hint) {
    return usage_error(error_details{plan.name, std::move(what_failed), std::move(hint), {}, {}, {}, {}, {}});
}

}  // namespace vmdsl::detail
