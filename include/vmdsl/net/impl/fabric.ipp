// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string>
#include <system_error>

#include <sys/socket.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/net/fabric.hpp>
#include <vmdsl/net/fabric_engine.hpp>

namespace vmdsl {

namespace detail {

/// For verbs that would do nothing, silently, on a machine without a network card.
inline std::vector<fabric_port*> fabric_cards_of(fabric_engine& engine, std::string_view machine) {
    auto cards = engine.ports_of(machine);
    if (cards.empty()) {
        throw usage_error("machine \"" + std::string(machine) + "\" has no network card");
    }
    return cards;
}

}  // namespace detail

VMDSL_DECL fabric::fabric(const network_plan& plan) {
    check_addressable(plan);
    try {
        engine_ = std::make_unique<detail::fabric_engine>(plan);
    } catch (const std::exception& reason) {
        throw could_not_run(std::string("the network could not be started: ") + reason.what());
    }
}

VMDSL_DECL fabric::~fabric() = default;

VMDSL_DECL void fabric::add(const machine_plan& machine) {
    engine_->call([&] { engine_->add(machine); });
}

VMDSL_DECL unique_fd fabric::attach(std::string_view machine, std::size_t nic) {
    return engine_->call([&] {
        detail::fabric_port& port = engine_->port(machine, nic);
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) != 0) {
            throw could_not_run("no socket for a network card: " + std::generic_category().message(errno),
                                "raise the number of open files that a process may have (ulimit -n)");
        }
        unique_fd ours(ends[0]);
        unique_fd theirs(ends[1]);
        engine_->open(port, std::move(ours));
        return theirs;
    });
}

VMDSL_DECL void fabric::detach(std::string_view machine, std::size_t nic) {
    engine_->call([&] { engine_->close(engine_->port(machine, nic), {}); });
}

VMDSL_DECL void fabric::detach(std::string_view machine) {
    engine_->call([&] {
        for (detail::fabric_port* const port : engine_->ports_of(machine)) {
            engine_->close(*port, {});
        }
    });
}

VMDSL_DECL void fabric::cut(std::string_view machine, std::string_view segment) {
    engine_->call([&] { engine_->port(machine, segment).link.cut(); });
}

VMDSL_DECL void fabric::heal(std::string_view machine, std::string_view segment) {
    engine_->call([&] { engine_->port(machine, segment).link.heal(); });
}

VMDSL_DECL void fabric::cut(std::string_view machine) {
    engine_->call([&] {
        for (detail::fabric_port* const port : detail::fabric_cards_of(*engine_, machine)) {
            port->link.cut();
        }
    });
}

VMDSL_DECL void fabric::heal(std::string_view machine) {
    engine_->call([&] {
        for (detail::fabric_port* const port : detail::fabric_cards_of(*engine_, machine)) {
            port->link.heal();
        }
    });
}

VMDSL_DECL link_report fabric::link(std::string_view machine, std::string_view segment) const {
    return engine_->call([&] { return engine_->report(engine_->port(machine, segment)); });
}

VMDSL_DECL std::vector<link_report> fabric::links() const {
    return engine_->call([&] {
        std::vector<link_report> reports;
        for (const detail::fabric_port& port : engine_->ports()) {
            reports.push_back(engine_->report(port));
        }
        return reports;
    });
}

VMDSL_DECL switch_counters fabric::counters(std::string_view segment) const {
    return engine_->call([&] { return engine_->switch_of(segment).counters(); });
}

VMDSL_DECL void fabric::pause() {
    engine_->call([&] { engine_->pause(); });
}

VMDSL_DECL drain_report fabric::drain_to_whole_frames() {
    return engine_->call([&] { return engine_->drain(); });
}

VMDSL_DECL void fabric::resume() {
    engine_->call([&] { engine_->resume(); });
}

VMDSL_DECL bool fabric::paused() const {
    return engine_->call([&] { return engine_->paused(); });
}

VMDSL_DECL fabric_state fabric::save() const {
    return engine_->call([&] {
        fabric_state state;
        for (const detail::fabric_port& port : engine_->ports()) {
            if (port.link.is_cut()) {
                state.cut_links.push_back(port.name);
            }
        }
        return state;
    });
}

VMDSL_DECL void fabric::restore(const fabric_state& state) {
    engine_->call([&] {
        std::vector<link_state*> to_cut;
        for (const link_name& name : state.cut_links) {
            to_cut.push_back(&engine_->port(name.machine, name.segment).link);
        }
        for (detail::fabric_port& port : engine_->ports()) {
            port.link.heal();
        }
        for (link_state* const link : to_cut) {
            link->cut();
        }
        engine_->forget_stations();
    });
}

}  // namespace vmdsl
