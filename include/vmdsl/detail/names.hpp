// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <concepts>
#include <cstddef>
#include <string_view>

#include <vmdsl/core/source_location.hpp>
#include <vmdsl/detail/topology.hpp>

namespace vmdsl::detail {

/// The parameter type of `net.machine("name")`: a literal that was looked up while compiling, and where it stands. A
/// name that is not known, or not known before run time, does not compile.
template <class Topology>
class machine_name {
public:
    template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
    consteval machine_name(const Text& text, source_location where = source_location::current())
        : index_(Topology::resolve_machine(text)), where_(where) {}

    /// The machine's number, from 0 in declaration order.
    [[nodiscard]] constexpr std::size_t index() const noexcept { return index_; }
    [[nodiscard]] constexpr std::string_view text() const noexcept { return Topology::names[index_]; }
    [[nodiscard]] constexpr const source_location& where() const noexcept { return where_; }

private:
    std::size_t index_;
    source_location where_;
};

/// The parameter type of `net.link("machine")`, or `net.link({"machine", "segment"})` for a machine on several
/// segments. The braces make it one argument, so that the two are checked together.
template <class Topology>
class link_name {
public:
    template <class Machine>
    requires std::convertible_to<const Machine&, std::string_view>
    consteval link_name(const Machine& machine, source_location where = source_location::current())
        : position_(Topology::resolve_link(machine)), where_(where) {}

    template <class Machine, class Segment>
    requires std::convertible_to<const Machine&, std::string_view> &&
        std::convertible_to<const Segment&, std::string_view>
    consteval link_name(const Machine& machine, const Segment& segment,
                        source_location where = source_location::current())
        : position_(Topology::resolve_link(machine, segment)), where_(where) {}

    [[nodiscard]] constexpr const link_position& position() const noexcept { return position_; }
    [[nodiscard]] constexpr std::string_view machine() const noexcept { return Topology::names[position_.machine]; }
    [[nodiscard]] constexpr std::string_view segment() const noexcept {
        return Topology::segment_names[position_.segment];
    }
    [[nodiscard]] constexpr const source_location& where() const noexcept { return where_; }

private:
    link_position position_;
    source_location where_;
};

}  // namespace vmdsl::detail
