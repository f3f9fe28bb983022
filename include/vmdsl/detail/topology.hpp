// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/fixed_string.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/detail/labels.hpp>
#include <vmdsl/detail/machine_facts.hpp>
#include <vmdsl/machine.hpp>

namespace vmdsl::detail {

/// A name inside an error message. Each compiler gets the form that it prints legibly: g++ shows the string, where
/// clang 14 would show its character codes.
#if defined(__clang__)
template <char... Characters>
struct name {};
template <fixed_string Text, std::size_t... Indexes>
auto make_name(std::index_sequence<Indexes...>) -> name<Text.data[Indexes]...>;
template <fixed_string Text>
using name_of = decltype(make_name<Text>(std::make_index_sequence<Text.size()>{}));
#else
template <fixed_string Text>
struct name {};
template <fixed_string Text>
using name_of = name<Text>;
#endif

template <class... Names>
struct among;
template <class... Names>
struct which_is_on;

// Never defined: reaching one of them while compiling is the error message.
template <class Nearest, class Machines>
void no_such_machine__did_you_mean();
template <class... Machines>
void no_such_machine__this_network_has();
template <class Nearest, class Segments>
void no_such_segment__did_you_mean();
template <class... Segments>
void no_such_segment__this_network_has();
template <class Machine, class Segments>
void machine_is_not_on_this_segment();
template <class Machine, class Segments>
void machine_is_on_several_segments__name_one_of_them();
template <class Name>
void two_machines_of_this_network_have_the_same_name();
template <class Name>
void two_segments_of_this_network_have_the_same_name();

template <class... Types>
struct type_list {
    static constexpr std::size_t size = sizeof...(Types);
};

template <class... A, class... B>
type_list<A..., B...> operator+(type_list<A...>, type_list<B...>);

template <class>
inline constexpr bool is_machine_entry = false;
template <fixed_string Name, class... Options>
inline constexpr bool is_machine_entry<vmdsl::machine<Name, Options...>> = true;

template <class>
inline constexpr bool is_segment_entry = false;
template <fixed_string Name>
inline constexpr bool is_segment_entry<vmdsl::segment<Name>> = true;

template <class... Entries>
using machine_entries =
    decltype((type_list<>{} + ... + std::conditional_t<is_machine_entry<Entries>, type_list<Entries>, type_list<>>{}));

/// The declared segments, or the one that there is without.
template <class... Entries>
using declared_segments =
    decltype((type_list<>{} + ... + std::conditional_t<is_segment_entry<Entries>, type_list<Entries>, type_list<>>{}));
template <class... Entries>
using segment_entries = std::conditional_t<declared_segments<Entries...>::size == 0, type_list<vmdsl::segment<"lan">>,
                                           declared_segments<Entries...>>;

template <class First, class... Rest>
type_list<First> first_of(type_list<First, Rest...>);

/// A machine's segments as types: those it names, or the network's first.
template <class Machine, class Segments>
struct segments_of_machine;
template <fixed_string Name, class... Options, class Segments>
struct segments_of_machine<vmdsl::machine<Name, Options...>, Segments> {
    using named = declared_segments<Options...>;
    using type = std::conditional_t<named::size == 0, decltype(first_of(std::declval<Segments>())), named>;
};

template <class... Segments>
which_is_on<name_of<Segments::text>...> as_which_is_on(type_list<Segments...>);
template <class Machine, class Segments>
using its_segments = decltype(as_which_is_on(typename segments_of_machine<Machine, Segments>::type{}));

/// One machine's card on one segment. All numbers count from 0, in declaration order.
struct link_position {
    std::size_t machine = 0;
    std::size_t segment = 0;
    std::size_t card = 0;  ///< Among the cards of its machine.

    friend constexpr bool operator==(const link_position&, const link_position&) = default;
};

constexpr std::size_t count_host_port(const machine_facts* machines, std::size_t count, std::uint16_t port) noexcept {
    std::size_t found = 0;
    for (std::size_t i = 0; i < count; ++i) {
        for (const auto& option : machines[i]) {
            found += option.host_port == port ? 1 : 0;
        }
    }
    return found;
}

constexpr bool host_ports_differ(const machine_facts* machines, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) {
        for (const auto& option : machines[i]) {
            if (option.host_port != 0 && count_host_port(machines, count, option.host_port) > 1) {
                return false;
            }
        }
    }
    return true;
}

/// The plan of one machine under a name; without a segment where it names none.
[[nodiscard]] VMDSL_DECL machine_plan make_machine_plan(const machine_facts& machine, std::string_view name);

/// The plan that the facts make.
[[nodiscard]] VMDSL_DECL network_plan make_network_plan(const std::string_view* segments, std::size_t segment_count,
                                                        const machine_facts* machines, std::size_t machine_count);

template <class Topology>
struct topology_checks;

template <class Machines, class Segments>
class resolved_topology;

template <class... Machines, class... Segments>
class resolved_topology<type_list<Machines...>, type_list<Segments...>> {
    using segment_list = type_list<Segments...>;

public:
    static constexpr std::size_t machine_count = sizeof...(Machines);
    static constexpr std::size_t segment_count = sizeof...(Segments);
    static constexpr std::array<std::string_view, machine_count> names{Machines::name...};
    static constexpr std::array<std::string_view, segment_count> segment_names{Segments::name...};

    /// What a search returns that finds nothing.
    static constexpr std::size_t npos = static_cast<std::size_t>(-1);

    /// For a name that is only known at run time: its number, or npos.
    [[nodiscard]] static constexpr std::size_t find_machine(std::string_view wanted) noexcept {
        return find(wanted, names, name_hashes_);
    }

    /// For use while compiling: the machine's number, or else a compile error that names the nearest one and all.
    [[nodiscard]] static constexpr std::size_t resolve_machine(std::string_view wanted) {
        const auto found = find(wanted, names, name_hashes_);
        return found != npos ? found : explain_machine(wanted, found);
    }

    /// The same for a segment.
    [[nodiscard]] static constexpr std::size_t resolve_segment(std::string_view wanted) {
        const auto found = find_segment(wanted);
        return found != npos ? found : explain_segment(wanted, found);
    }

    /// For use while compiling: the one card of a machine. A machine with several needs the segment, too.
    [[nodiscard]] static constexpr link_position resolve_link(std::string_view machine) {
        const auto index = resolve_machine(machine);
        return first_links_[index + 1] - first_links_[index] == 1 ? links_[first_links_[index]]
                                                                  : explain_several_links(index);
    }

    /// For use while compiling: the card of a machine on a segment.
    [[nodiscard]] static constexpr link_position resolve_link(std::string_view machine, std::string_view segment) {
        const auto machine_index = resolve_machine(machine);
        const auto segment_index = resolve_segment(segment);
        for (auto i = first_links_[machine_index]; i < first_links_[machine_index + 1]; ++i) {
            if (links_[i].segment == segment_index) {
                return links_[i];
            }
        }
        return explain_missing_link(machine_index);
    }

    /// Whether a machine declares a forward to this port of it.
    [[nodiscard]] static constexpr bool forwards_port(std::size_t machine, std::uint16_t guest_port) noexcept {
        return machine < machine_count && machines_[machine].forwards(guest_port);
    }
    [[nodiscard]] static constexpr bool forwards_port(std::string_view machine, std::uint16_t guest_port) noexcept {
        return forwards_port(find_machine(machine), guest_port);
    }

    /// Everything that the types say, as values.
    [[nodiscard]] static network_plan plan() {
        return make_network_plan(segment_names.data(), segment_count, machines_.data(), machine_count);
    }

private:
    // The diagnostics are functions of their own because g++ copies a function's body for each evaluation, and these
    // grow with the network. Each has a way to succeed: without one, g++ complains about its first statement instead
    // of the one that is reached.

    static constexpr std::size_t explain_machine(std::string_view wanted, std::size_t found) {
        if (found != npos) {
            return found;
        }
        const auto nearest = nearest_name(wanted, names.data(), machine_count);
        [[maybe_unused]] std::size_t i = 0;
        ((i++ == nearest ? no_such_machine__did_you_mean<name_of<Machines::text>, among<name_of<Machines::text>...>>()
                         : void()),
         ...);
        no_such_machine__this_network_has<name_of<Machines::text>...>();
        return npos;
    }

    static constexpr std::size_t explain_segment(std::string_view wanted, std::size_t found) {
        if (found != npos) {
            return found;
        }
        const auto nearest = nearest_name(wanted, segment_names.data(), segment_count);
        [[maybe_unused]] std::size_t i = 0;
        ((i++ == nearest ? no_such_segment__did_you_mean<name_of<Segments::text>, among<name_of<Segments::text>...>>()
                         : void()),
         ...);
        no_such_segment__this_network_has<name_of<Segments::text>...>();
        return npos;
    }

    static constexpr link_position explain_several_links(std::size_t machine) {
        [[maybe_unused]] std::size_t i = 0;
        ((i++ == machine ? machine_is_on_several_segments__name_one_of_them<name_of<Machines::text>,
                                                                            its_segments<Machines, segment_list>>()
                         : void()),
         ...);
        return {};
    }

    static constexpr link_position explain_missing_link(std::size_t machine) {
        [[maybe_unused]] std::size_t i = 0;
        ((i++ == machine
              ? machine_is_not_on_this_segment<name_of<Machines::text>, its_segments<Machines, segment_list>>()
              : void()),
         ...);
        return {};
    }

    static constexpr bool machine_names_differ() {
        const auto repeated = find_repeated_label(names);
        [[maybe_unused]] std::size_t i = 0;
        ((i++ == repeated ? two_machines_of_this_network_have_the_same_name<name_of<Machines::text>>() : void()), ...);
        return repeated == machine_count;
    }

    static constexpr bool segment_names_differ() {
        const auto repeated = find_repeated_label(segment_names);
        [[maybe_unused]] std::size_t i = 0;
        ((i++ == repeated ? two_segments_of_this_network_have_the_same_name<name_of<Segments::text>>() : void()), ...);
        return repeated == segment_count;
    }

    static constexpr std::array<machine_facts, machine_count> machines_{Machines::facts...};

    template <std::size_t Size>
    static constexpr std::size_t find(std::string_view wanted, const std::array<std::string_view, Size>& in,
                                      const std::array<std::uint64_t, Size>& hashes) noexcept {
        const auto hash = label_hash(wanted);
        for (std::size_t i = 0; i < Size; ++i) {
            if (hashes[i] == hash && in[i] == wanted) {
                return i;
            }
        }
        return npos;
    }

    static constexpr auto name_hashes_ = label_hashes(names);
    static constexpr auto segment_hashes_ = label_hashes(segment_names);

    static constexpr std::size_t find_segment(std::string_view wanted) noexcept {
        return find(wanted, segment_names, segment_hashes_);
    }

    static constexpr bool segments_are_declared() noexcept {
        for (const auto& machine : machines_) {
            for (const auto& option : machine) {
                if (option.kind == option_kind::segment && find_segment(option.text) == npos) {
                    return false;
                }
            }
        }
        return true;
    }

    /// Where each machine's cards begin among all links; the last entry is their end.
    static constexpr std::array<std::size_t, machine_count + 1> make_first_links() noexcept {
        std::array<std::size_t, machine_count + 1> firsts{};
        for (std::size_t i = 0; i < machine_count; ++i) {
            const auto named = machines_[i].count(option_kind::segment);
            firsts[i + 1] = firsts[i] + (named == 0 ? 1 : named);
        }
        return firsts;
    }

    static constexpr std::array<std::size_t, machine_count + 1> first_links_ = make_first_links();

    using link_array = std::array<link_position, first_links_[machine_count]>;

    static constexpr link_array make_links() noexcept {
        link_array links{};
        for (std::size_t i = 0; i < machine_count; ++i) {
            auto next = first_links_[i];
            links[next].machine = i;  // on the first segment, unless it names one
            for (const auto& option : machines_[i]) {
                if (option.kind == option_kind::segment) {
                    links[next] = {i, find_segment(option.text), next - first_links_[i]};
                    ++next;
                }
            }
        }
        return links;
    }

    static constexpr link_array links_ = make_links();

    friend struct topology_checks<resolved_topology>;
};

/// Whether a topology makes sense. A class of its own, so that what uses the topology is not refused as well: clang
/// takes nothing from a class with an assertion that failed.
template <class Topology>
struct topology_checks {
    static_assert(Topology::machine_count > 0, "vmdsl: a network needs at least one machine");
    static_assert(Topology::machine_count <= 254, "vmdsl: a network has at most 254 machines, one for each address");
    static_assert(Topology::segment_count <= 254,
                  "vmdsl: a network has at most 254 segments, one for each address range");
    static_assert(Topology::machine_names_differ());
    static_assert(Topology::segment_names_differ());
    static_assert(Topology::segments_are_declared(),
                  "vmdsl: a machine is on a segment<> that this network does not declare");
    static_assert(host_ports_differ(Topology::machines_.data(), Topology::machine_count),
                  "vmdsl: two machines of this network forward the same host port");
};

/// What the entries of a `network<>` say: who there is, on which segments, and whether it makes sense.
template <class... Entries>
class topology : public resolved_topology<machine_entries<Entries...>, segment_entries<Entries...>> {
    using checks = topology_checks<resolved_topology<machine_entries<Entries...>, segment_entries<Entries...>>>;
    // Completes the class and says nothing of its own where that fails: with a trait clang reports it twice.
    static_assert(sizeof(checks) > 0);  // NOLINT(bugprone-sizeof-expression)
    static_assert(((is_machine_entry<Entries> || is_segment_entry<Entries>)&&...),
                  "vmdsl: a network consists of machine<\"name\", ...> and segment<\"name\">");
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/topology.ipp>
#endif
