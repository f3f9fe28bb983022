// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>
#include <utility>

#include <vmdsl/core/fixed_string.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/detail/labels.hpp>
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

template <std::size_t Size>
constexpr bool labels_differ(const std::array<std::string_view, Size>& labels) noexcept {
    for (std::size_t i = 0; i < Size; ++i) {
        for (std::size_t j = i + 1; j < Size; ++j) {
            if (same_label(labels[i], labels[j])) {
                return false;
            }
        }
    }
    return true;
}

/// One machine's card on one segment. All numbers count from 0, in declaration order.
struct link_position {
    std::size_t machine = 0;
    std::size_t segment = 0;
    std::size_t card = 0;  ///< Among the cards of its machine.

    friend constexpr bool operator==(const link_position&, const link_position&) = default;
};

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
        return find(wanted, names);
    }

    /// For use while compiling: the machine's number, or else a compile error that names the nearest one and all.
    [[nodiscard]] static constexpr std::size_t resolve_machine(std::string_view wanted) {
        if (const auto found = find(wanted, names); found != npos) {
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

    /// The same for a segment.
    [[nodiscard]] static constexpr std::size_t resolve_segment(std::string_view wanted) {
        if (const auto found = find(wanted, segment_names); found != npos) {
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

    /// For use while compiling: the one card of a machine. A machine with several needs the segment, too.
    [[nodiscard]] static constexpr link_position resolve_link(std::string_view machine) {
        const auto index = resolve_machine(machine);
        if (cards_of(index) > 1) {
            std::size_t i = 0;
            ((i++ == index ? machine_is_on_several_segments__name_one_of_them<name_of<Machines::text>,
                                                                              its_segments<Machines, segment_list>>()
                           : void()),
             ...);
        }
        return links_[first_link_of(index)];
    }

    /// For use while compiling: the card of a machine on a segment.
    [[nodiscard]] static constexpr link_position resolve_link(std::string_view machine, std::string_view segment) {
        const auto machine_index = resolve_machine(machine);
        const auto segment_index = resolve_segment(segment);
        for (const auto& link : links_) {
            if (link.machine == machine_index && link.segment == segment_index) {
                return link;
            }
        }
        std::size_t i = 0;
        ((i++ == machine_index
              ? machine_is_not_on_this_segment<name_of<Machines::text>, its_segments<Machines, segment_list>>()
              : void()),
         ...);
        return {};
    }

    /// Whether a machine declares a forward to this port of it.
    [[nodiscard]] static constexpr bool forwards_port(std::size_t machine, std::uint16_t guest_port) noexcept {
        [[maybe_unused]] std::size_t i = 0;
        return ((i++ == machine && contains(Machines::guest_ports, guest_port)) || ...);
    }
    [[nodiscard]] static constexpr bool forwards_port(std::string_view machine, std::uint16_t guest_port) noexcept {
        return forwards_port(find_machine(machine), guest_port);
    }

    /// Everything that the types say, as values.
    [[nodiscard]] static network_plan plan() {
        network_plan result;
        result.segments.assign(segment_names.begin(), segment_names.end());
        (result.machines.push_back(Machines::plan()), ...);
        for (auto& machine : result.machines) {
            if (machine.segments.empty()) {
                machine.segments.push_back(result.segments.front());
            }
        }
        return result;
    }

private:
    template <class Value, std::size_t Size>
    static constexpr bool contains(const std::array<Value, Size>& values, Value wanted) noexcept {
        for (const auto& value : values) {
            if (value == wanted) {
                return true;
            }
        }
        return false;
    }

    template <std::size_t Size>
    static constexpr std::size_t find(std::string_view wanted, const std::array<std::string_view, Size>& in) noexcept {
        for (std::size_t i = 0; i < Size; ++i) {
            if (in[i] == wanted) {
                return i;
            }
        }
        return npos;
    }

    template <class Machine>
    static constexpr std::size_t cards = Machine::segments.empty() ? 1 : Machine::segments.size();

    static constexpr std::size_t link_count = (std::size_t{0} + ... + cards<Machines>);

    template <std::size_t Size>
    static constexpr bool all_declared(const std::array<std::string_view, Size>& segments) noexcept {
        for (const auto& segment : segments) {
            if (find(segment, segment_names) == npos) {
                return false;
            }
        }
        return true;
    }

    static constexpr std::array<link_position, link_count> make_links() noexcept {
        std::array<link_position, link_count> links{};
        std::size_t next = 0;
        std::size_t machine = 0;
        const auto add = [&](const auto& segments) {
            if (segments.empty()) {
                links[next++] = {machine, 0, 0};
            }
            for (std::size_t card = 0; card < segments.size(); ++card) {
                links[next++] = {machine, find(segments[card], segment_names), card};
            }
            ++machine;
        };
        (add(Machines::segments), ...);
        return links;
    }

    static constexpr std::array<link_position, link_count> links_ = make_links();

    static constexpr std::size_t cards_of(std::size_t machine) noexcept {
        std::size_t count = 0;
        for (const auto& link : links_) {
            count += link.machine == machine ? 1 : 0;
        }
        return count;
    }

    static constexpr std::size_t first_link_of(std::size_t machine) noexcept {
        std::size_t i = 0;
        while (links_[i].machine != machine) {
            ++i;
        }
        return i;
    }

    static constexpr bool host_ports_differ() noexcept {
        std::array<std::uint16_t, (std::size_t{0} + ... + Machines::host_ports.size())> ports{};
        [[maybe_unused]] std::size_t count = 0;
        [[maybe_unused]] const auto add = [&](const auto& of_machine) {
            bool fresh = true;
            for (const auto port : of_machine) {
                for (std::size_t i = 0; i < count; ++i) {
                    fresh = fresh && ports[i] != port;
                }
                ports[count] = port;
                count += port == 0 ? 0 : 1;
            }
            return fresh;
        };
        return (add(Machines::host_ports) && ...);
    }

    static_assert(machine_count > 0, "vmdsl: a network needs at least one machine");
    static_assert(machine_count <= 254, "vmdsl: a network has at most 254 machines, one for each address");
    static_assert(segment_count <= 254, "vmdsl: a network has at most 254 segments, one for each address range");
    static_assert(labels_differ(names), "vmdsl: two machines of this network have the same name");
    static_assert(labels_differ(segment_names), "vmdsl: two segments of this network have the same name");
    static_assert((all_declared(Machines::segments) && ...),
                  "vmdsl: a machine is on a segment<> that this network does not declare");
    static_assert(host_ports_differ(), "vmdsl: two machines of this network forward the same host port");
};

/// What the entries of a `network<>` say: who there is, on which segments, and whether it makes sense.
template <class... Entries>
class topology : public resolved_topology<machine_entries<Entries...>, segment_entries<Entries...>> {
    static_assert(((is_machine_entry<Entries> || is_segment_entry<Entries>)&&...),
                  "vmdsl: a network consists of machine<\"name\", ...> and segment<\"name\">");
};

}  // namespace vmdsl::detail
