// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <vmdsl/core/plan.hpp>
#include <vmdsl/detail/machine_facts.hpp>
#include <vmdsl/detail/topology.hpp>

namespace vmdsl::detail {

inline void add_option(machine_plan& plan, const option_facts& option) {
    switch (option.kind) {
        case option_kind::none:
            return;
        case option_kind::image:
            plan.image = option.text;
            return;
        case option_kind::boot:
            plan.kernel = option.text;
            plan.initrd = option.second_text;
            return;
        case option_kind::memory:
            plan.memory_bytes = option.number;
            return;
        case option_kind::vcpus:
            plan.vcpus = static_cast<std::uint32_t>(option.number);
            return;
        case option_kind::disk:
            plan.disks.push_back({std::string(option.text), option.number});
            return;
        case option_kind::segment:
            plan.segments.emplace_back(option.text);
            return;
        case option_kind::forward:
            plan.forwards.push_back({option.host_port, static_cast<std::uint16_t>(option.number)});
            return;
        case option_kind::kernel_arguments:
            plan.kernel_arguments.assign(option.list, option.list + option.list_size);
            return;
        case option_kind::qemu_arguments:
            plan.qemu_arguments.assign(option.list, option.list + option.list_size);
            return;
        case option_kind::display:
            plan.display = true;
            return;
        case option_kind::volatile_root:
            plan.volatile_root = true;
            return;
    }
}

VMDSL_DECL machine_plan make_machine_plan(const machine_facts& machine, std::string_view name) {
    machine_plan plan;
    plan.name = name;
    for (const auto& option : machine) {
        add_option(plan, option);
    }
    return plan;
}

VMDSL_DECL network_plan make_network_plan(const std::string_view* segments, std::size_t segment_count,
                                          const machine_facts* machines, std::size_t machine_count) {
    network_plan result;
    result.segments.assign(segments, segments + segment_count);
    for (std::size_t i = 0; i < machine_count; ++i) {
        auto& plan = result.machines.emplace_back(make_machine_plan(machines[i], machines[i].name));
        if (plan.segments.empty()) {
            plan.segments.emplace_back(segments[0]);
        }
    }
    return result;
}

}  // namespace vmdsl::detail
