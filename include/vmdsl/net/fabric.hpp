// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/net/fabric_report.hpp>
#include <vmdsl/net/switch.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

namespace detail {
class fabric_engine;
}

/// The segments of one network as Ethernet switches, on a thread of their own: a test that blocks never blocks the
/// network. QEMU reaches it through a socket that it inherits (`-netdev stream,addr.type=fd,addr.str=N`), so nobody
/// else can listen or inject, and nothing is left behind.
///
/// Every function may be called from any thread; they take effect one after the other, between two frames. A name that
/// the plan doesn't have throws usage_error. A peer that goes away or breaks the framing takes its own port down only;
/// link() says why. The destructor closes every port and joins the thread.
class fabric {
public:
    /// Throws usage_error as check_addressable() does, could_not_run where the system gives no thread or descriptor.
    explicit VMDSL_DECL fabric(const network_plan& plan);
    VMDSL_DECL ~fabric();
    fabric(const fabric&) = delete;
    fabric& operator=(const fabric&) = delete;

    /// Adds a machine's links. Its segments have to be there: see check_addressable().
    VMDSL_DECL void add(const machine_plan& machine);

    /// Makes a port for the machine's network card number `nic` (from 0, in the order of `machine_plan::segments`) and
    /// returns the end for QEMU: close-on-exec, non-blocking. Close it here once QEMU has it, otherwise QEMU's end is
    /// never noticed. A port that exists is replaced: a restarted machine simply attaches again. What was learnt of the
    /// port is forgotten; cuts and counters stay. Throws could_not_run where the system has no descriptor left.
    [[nodiscard]] VMDSL_DECL unique_fd attach(std::string_view machine, std::size_t nic);

    /// Closes the port of one card, or of all cards of a machine; without a port nothing happens.
    VMDSL_DECL void detach(std::string_view machine, std::size_t nic);
    VMDSL_DECL void detach(std::string_view machine);

    /// Loses every frame between the machine and the segment, both ways, until heal(). The machine's carrier stays up,
    /// and what it sends is still taken from it, so that its driver never stalls. Idempotent, no guard that undoes it.
    VMDSL_DECL void cut(std::string_view machine, std::string_view segment);
    VMDSL_DECL void heal(std::string_view machine, std::string_view segment);
    /// The same for all links of the machine; throws usage_error where it has none.
    VMDSL_DECL void cut(std::string_view machine);
    VMDSL_DECL void heal(std::string_view machine);

    [[nodiscard]] VMDSL_DECL link_report link(std::string_view machine, std::string_view segment) const;
    /// All links, by machine and then by card, in declaration order.
    [[nodiscard]] VMDSL_DECL std::vector<link_report> links() const;
    [[nodiscard]] VMDSL_DECL switch_counters counters(std::string_view segment) const;

    /// Stops forwarding. When it returns no frame is half-processed, and what machines send waits in their sockets; a
    /// machine that sends much then stalls until resume(). Idempotent.
    VMDSL_DECL void pause();

    /// Reads what the machines wrote until now, to the last whole frame, and forwards it. Call it after pause(), with
    /// all QEMUs stopped; throws usage_error without pause(). Incomplete frames are kept: a QEMU that continues
    /// completes them; one that is replaced by attach() loses them, and they are counted as `socket_drops`.
    VMDSL_DECL drain_report drain_to_whole_frames();

    /// Forwards again, beginning with what waited. Idempotent.
    VMDSL_DECL void resume();
    [[nodiscard]] VMDSL_DECL bool paused() const;

    [[nodiscard]] VMDSL_DECL fabric_state save() const;

    /// Cuts and heals links so that exactly those of the state are cut, and forgets where stations were heard. Ports
    /// stay attached. Throws usage_error, and changes nothing, where the state names a link that the network doesn't
    /// have.
    VMDSL_DECL void restore(const fabric_state& state);

private:
    std::unique_ptr<detail::fabric_engine> engine_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/fabric.ipp>
#endif
