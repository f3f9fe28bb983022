// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <utility>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/machine_description.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/qemu/program.hpp>
#include <vmdsl/qemu/qcow2_overlay.hpp>
#include <vmdsl/qemu/time_stamp_counter.hpp>

namespace vmdsl::detail {

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
