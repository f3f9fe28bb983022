// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <optional>

#include <vmdsl/net/switch.hpp>

namespace vmdsl {

VMDSL_DECL learning_switch::learning_switch(std::size_t stations) : table_(stations) {
}

VMDSL_DECL void learning_switch::add_port(switch_port port) {
    if (std::find(ports_.begin(), ports_.end(), port) != ports_.end()) {
        return;
    }
    egress_.resize(std::max<std::size_t>(egress_.size(), ports_.size() + 1));
    ports_.push_back(port);
}

VMDSL_DECL void learning_switch::remove_port(switch_port port) noexcept {
    std::erase(ports_, port);
    table_.forget(port);
}

VMDSL_DECL std::span<const switch_port> learning_switch::decide(switch_port ingress, frame_view frame) noexcept {
    if (frame.is_runt()) {
        ++counters_.runts;
        return {};
    }
    learn(frame.source(), ingress);
    const mac_address destination = frame.destination();
    if (destination.is_group()) {
        return flood(ingress);
    }
    const std::optional<switch_port> known = table_.find(destination);
    if (!known) {
        return flood(ingress);
    }
    if (*known == ingress) {
        ++counters_.filtered;
        return {};
    }
    ++counters_.unicast;
    egress_.front() = *known;
    return {egress_.data(), 1};
}

VMDSL_DECL void learning_switch::learn(mac_address station, switch_port port) noexcept {
    if (station.is_group() || std::find(ports_.begin(), ports_.end(), port) == ports_.end()) {
        return;
    }
    switch (table_.learn(station, port)) {
        case mac_table::outcome::moved:
            ++counters_.moves;
            return;
        case mac_table::outcome::evicted:
            ++counters_.evictions;
            return;
        case mac_table::outcome::known:
        case mac_table::outcome::added:
            return;
    }
}

VMDSL_DECL std::span<const switch_port> learning_switch::flood(switch_port ingress) noexcept {
    ++counters_.flooded;
    const auto end = std::remove_copy(ports_.begin(), ports_.end(), egress_.begin(), ingress);
    return {egress_.data(), static_cast<std::size_t>(end - egress_.begin())};
}

}  // namespace vmdsl
