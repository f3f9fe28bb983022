// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include <sys/sysinfo.h>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/machine_description.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/qemu/program.hpp>
#include <vmdsl/qemu/qcow2_overlay.hpp>
#include <vmdsl/qemu/time_stamp_counter.hpp>

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

VMDSL_DECL qemu_configuration configuration_of(const machine_plan& plan, const image_description& image) {
    qemu_configuration configuration;
    configuration.name = plan.name;
    configuration.uuid = machine_uuid(plan.name);
    configuration.accelerator = choose_accelerator(current_run().acceleration, image.kernel);
    configuration.memory_bytes = plan.memory_bytes;
    configuration.vcpus = plan.vcpus;
    configuration.display = plan.display;
    configuration.kernel = plan.display && !image.bios_kernel.empty() ? image.bios_kernel : image.kernel;
    configuration.initrd = image.initrd;
    auto& arguments = configuration.kernel_arguments;
    arguments = image.kernel_arguments;
    if (configuration.accelerator == "tcg" && tsc_khz() != 0) {
        arguments.push_back("tsc_early_khz=" + std::to_string(tsc_khz()));
    }
    if (plan.volatile_root) {
        arguments.emplace_back("vmdsl.volatile_root");
    }
    arguments.insert(arguments.end(), plan.kernel_arguments.begin(), plan.kernel_arguments.end());
    configuration.extra = plan.qemu_arguments;
    return configuration;
}

VMDSL_DECL std::vector<qemu_disk> new_disks(const machine_plan& plan, const image_description& image,
                                            const std::filesystem::path& folder) {
    std::vector<qemu_disk> disks;
    if (!image.root.empty()) {
        disks.push_back({"root", image.root, "raw", true});
    }
    if (!image.scratch.empty()) {
        const auto path = (folder / (plan.name + "-scratch.qcow2")).string();
        make_qcow2_overlay(path, image.scratch, "raw", std::filesystem::file_size(image.scratch));
        disks.push_back({"scratch", path, "qcow2", false});
    }
    for (const auto& disk : plan.disks) {
        const auto path = (folder / (plan.name + "-" + disk.name + ".qcow2")).string();
        make_qcow2(path, disk.bytes);
        disks.push_back({disk.name, path, "qcow2", false});
    }
    return disks;
}

VMDSL_DECL std::vector<qemu_disk> overlays_of(const std::vector<qemu_disk>& saved, const machine_plan& plan,
                                              const std::filesystem::path& folder) {
    std::vector<qemu_disk> disks;
    for (const auto& base : saved) {
        auto disk = base;
        if (!base.read_only) {
            disk.path = (folder / (plan.name + "-" + base.serial + ".qcow2")).string();
            disk.format = "qcow2";
            make_qcow2_overlay(disk.path, base.path, "qcow2", qcow2_virtual_size(base.path));
        }
        disks.push_back(std::move(disk));
    }
    return disks;
}

}  // namespace vmdsl::detail
