// SPDX-License-Identifier: BSL-1.0
#pragma once

/// A private network of machines: the type that describes it, and the object that runs it.

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/source_location.hpp>
#include <vmdsl/detail/names.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/topology.hpp>
#include <vmdsl/guest.hpp>
#include <vmdsl/network_link.hpp>

namespace vmdsl {

/// A private network of machines. The entries are `machine<"name", options...>`, in the order that numbers them, and
/// `segment<"name">` declarations where one segment is not enough:
///
///     network<machine<"web", image<"server">>, machine<"probe", image<"client">>> two;
///     two.start();
///     two.machine("probe").run("ping -c 1 web");
///
/// Names, links and ports are checked while compiling: a name that is mistyped does not compile, and the compiler's
/// message says which names there are. The machines are made at the first use and end with the object; nothing reaches
/// them from outside, and they reach nothing, unless a forward is asked for.
///
/// The first use throws `could_not_run` where an image is not there or a machine has more memory than the host. At most
/// 254 machines and 254 segments.
template <class... Entries>
class network {
public:
    using topology = detail::topology<Entries...>;
    /// The parameter type of `machine()`: a literal that was looked up among the network's machines while compiling.
    using machine_name = detail::machine_name<topology>;
    /// The parameter type of `link()`: a machine, or `{"machine", "segment"}`, looked up while compiling.
    using link_name = detail::link_name<topology>;

    /// All machines are off, and nothing is made yet. A network is neither copied nor moved.
    network() : core_(topology::plan()), guests_(make_guests(std::make_index_sequence<topology::machine_count>{})) {}
    network(const network&) = delete;
    network& operator=(const network&) = delete;

    /// Switches on all machines that are off, in parallel, and waits until every guest is set up. The limit (default:
    /// 5 min) is for all of them together. With `--interactive` it never returns, outside of a checkpoint's `prepare`:
    /// the person has the network then. Throws `could_not_run` (no QEMU, no such image), `timed_out`, `machine_died`,
    /// each with what every machine that failed says; those that did not come up are off then.
    void start(std::chrono::nanoseconds limit = std::chrono::minutes(5),
               source_location where = source_location::current()) {
        core_.start(limit, where);
    }

    /// A machine by its name, which is checked while compiling. Valid as long as the network.
    [[nodiscard]] guest& machine(machine_name name) { return guests_[name.index()]; }

    /// Adds a machine to the network while it runs: `net.add<machine<"probe", image<"client">>>()`, or under another
    /// name, `net.add<worker>("worker-3")`. It is switched off at first; the others know its name at once. In a case it
    /// is gone when the case ends; one that `prepare()` adds is part of the checkpoint. Telling the others has 1
    /// minute. Throws `usage_error` where the name is taken or is none, a segment is not declared, or there are 254
    /// machines already; `could_not_run`, `timed_out`, `machine_died`. No other thread may use the network meanwhile.
    /// Valid as long as the network.
    template <class Machine>
    guest& add(std::string_view name = Machine::name, source_location where = source_location::current()) {
        static_assert(detail::is_machine_entry<Machine>, "vmdsl: add<> takes a machine<\"name\", ...>");
        return added_.emplace_back(core_, core_.add_machine(detail::make_machine_plan(Machine::facts, name), where));
    }

    /// The link of a machine, or `net.link({"machine", "segment"})` where it is on several segments. Checked while
    /// compiling. Valid as long as the network.
    [[nodiscard]] network_link link(link_name name) {
        return {core_, std::string(name.machine()), std::string(name.segment())};
    }

    /// The link of a machine that was added, to its first segment or to the one that is named. Throws `usage_error`
    /// where it is not on that segment.
    [[nodiscard]] network_link link(const guest& machine, std::string_view segment = {}) {
        return {core_, machine.name(), core_.segment_of(machine.name(), segment)};
    }

    /// The machines that the type has, in declaration order, without those that were added.
    [[nodiscard]] std::array<guest, topology::machine_count>& machines() noexcept { return guests_; }

private:
    friend struct detail::network_access;

    template <std::size_t... Indexes>
    [[nodiscard]] std::array<guest, sizeof...(Indexes)> make_guests(std::index_sequence<Indexes...> /*all*/) {
        return {guest(core_, Indexes)...};
    }

    detail::network_core core_;
    std::array<guest, topology::machine_count> guests_;
    std::deque<guest> added_;  // a deque: references stay valid
};

}  // namespace vmdsl
