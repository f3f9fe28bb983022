// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/error.hpp>
#include <vmdsl/net/addressing.hpp>

namespace vmdsl {

namespace detail {

inline bool addressing_is_alphanumeric(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

inline bool addressing_is_host_name(std::string_view name) noexcept {
    if (name.empty() || name.size() > 63 || !addressing_is_alphanumeric(name.front())) {
        return false;
    }
    return std::all_of(name.begin(), name.end(),
                       [](char c) { return addressing_is_alphanumeric(c) || c == '-' || c == '_'; });
}

inline std::string addressing_in_quotes(std::string_view name) {
    return '"' + std::string(name) + '"';
}

/// Checks a list of names of one kind ("machine" or "segment").
inline void addressing_check_names(std::string_view kind, const std::vector<std::string_view>& names) {
    if (names.size() > most_addressable) {
        throw usage_error("the network has " + std::to_string(names.size()) + ' ' + std::string(kind) + "s",
                          "at most " + std::to_string(most_addressable) + " can be numbered");
    }
    for (auto name = names.begin(); name != names.end(); ++name) {
        if (!addressing_is_host_name(*name)) {
            throw usage_error("the " + std::string(kind) + " name " + addressing_in_quotes(*name) + " is no host name",
                              "use letters, digits, '-' and '_', at most 63 of them, a letter or digit first");
        }
        if (std::find(names.begin(), name, *name) != name) {
            throw usage_error("two " + std::string(kind) + "s are named " + addressing_in_quotes(*name));
        }
    }
}

inline void addressing_check_cards(const network_plan& plan, const machine_plan& machine) {
    for (auto segment = machine.segments.begin(); segment != machine.segments.end(); ++segment) {
        if (std::find(plan.segments.begin(), plan.segments.end(), *segment) == plan.segments.end()) {
            throw usage_error("machine " + addressing_in_quotes(machine.name) + " has a card on segment " +
                                  addressing_in_quotes(*segment) + ", which is not declared",
                              "declare the segment in the network, or correct the name");
        }
        if (std::find(machine.segments.begin(), segment, *segment) != segment) {
            throw usage_error("machine " + addressing_in_quotes(machine.name) + " has two cards on segment " +
                                  addressing_in_quotes(*segment),
                              "both would get the same addresses; use a second segment");
        }
    }
}

inline std::string addressing_two_hex_digits(std::size_t number) {
    constexpr std::string_view digits = "0123456789abcdef";
    return {digits[number / 16 % 16], digits[number % 16]};
}

inline nic_address addressing_of_card(const network_plan& plan, std::size_t machine_number,
                                      const std::string& segment) {
    const auto found = std::find(plan.segments.begin(), plan.segments.end(), segment);
    const auto segment_number = static_cast<std::size_t>(found - plan.segments.begin()) + 1;
    const std::string k = std::to_string(segment_number);
    const std::string n = std::to_string(machine_number);
    return {
        segment,
        "52:54:00:12:" + addressing_two_hex_digits(segment_number) + ':' + addressing_two_hex_digits(machine_number),
        "192.168." + k + '.' + n + "/24", "fd00:" + k + "::" + n + "/64"};
}

inline std::vector<nic_address> addressing_of_machine(const network_plan& plan, std::size_t index) {
    std::vector<nic_address> addresses;
    for (const std::string& segment : plan.machines[index].segments) {
        addresses.push_back(addressing_of_card(plan, index + 1, segment));
    }
    return addresses;
}

/// FNV-1a, then a finaliser that spreads each bit over the word: names differ in their last character only, often.
inline std::uint64_t addressing_hash(std::string_view text, std::uint64_t seed) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
    for (const char c : text) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
    }
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
    return hash ^ (hash >> 31U);
}

inline void addressing_append_hex(std::string& out, std::uint64_t word) {
    for (unsigned shift = 64; shift != 0; shift -= 8) {
        out += addressing_two_hex_digits((word >> (shift - 8)) & 0xffU);
    }
}

}  // namespace detail

VMDSL_DECL void check_addressable(const network_plan& plan) {
    detail::addressing_check_names("segment", {plan.segments.begin(), plan.segments.end()});
    std::vector<std::string_view> machines;
    for (const machine_plan& machine : plan.machines) {
        if (machine.name == "localhost") {
            throw usage_error("a machine cannot be named \"localhost\"", "every machine means itself by that name");
        }
        machines.push_back(machine.name);
    }
    detail::addressing_check_names("machine", machines);
    for (const machine_plan& machine : plan.machines) {
        detail::addressing_check_cards(plan, machine);
    }
}

VMDSL_DECL std::vector<nic_address> nic_addresses(const network_plan& plan, std::string_view machine) {
    check_addressable(plan);
    const auto found = std::find_if(plan.machines.begin(), plan.machines.end(),
                                    [machine](const machine_plan& m) { return m.name == machine; });
    if (found == plan.machines.end()) {
        throw usage_error("the network has no machine " + detail::addressing_in_quotes(machine));
    }
    return detail::addressing_of_machine(plan, static_cast<std::size_t>(found - plan.machines.begin()));
}

VMDSL_DECL std::string interface_line(const nic_address& address) {
    return address.mac + ' ' + address.ipv4 + ' ' + address.ipv6;
}

VMDSL_DECL std::string hosts_file(const network_plan& plan) {
    check_addressable(plan);
    std::string text;
    for (std::size_t index = 0; index != plan.machines.size(); ++index) {
        const std::string& name = plan.machines[index].name;
        bool first = true;
        for (const nic_address& address : detail::addressing_of_machine(plan, index)) {
            std::string names = first ? name + ' ' : std::string();
            names.append(name).append(".").append(address.segment).append("\n");
            for (const std::string& with_prefix : {address.ipv4, address.ipv6}) {
                text.append(with_prefix, 0, with_prefix.find('/')).append(" ").append(names);
            }
            first = false;
        }
    }
    return text;
}

VMDSL_DECL std::string machine_id(std::string_view machine) {
    std::uint64_t high = detail::addressing_hash(machine, 0x766d64736c2d6869U);
    std::uint64_t low = detail::addressing_hash(machine, 0x766d64736c2d6c6fU);
    high = (high & ~std::uint64_t{0xf000}) | 0x4000U;                      // version 4
    low = (low & ~(std::uint64_t{3} << 62U)) | (std::uint64_t{2} << 62U);  // variant 1
    std::string out;
    detail::addressing_append_hex(out, high);
    detail::addressing_append_hex(out, low);
    return out;
}

VMDSL_DECL std::string machine_uuid(std::string_view machine) {
    std::string out = machine_id(machine);
    for (const std::size_t dash : {20U, 16U, 12U, 8U}) {
        out.insert(dash, 1, '-');
    }
    return out;
}

}  // namespace vmdsl
