// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The cable between a machine and a segment, which a test can cut and heal.

#include <string>
#include <utility>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

namespace detail {
class network_core;
}

/// The cable between a machine and a segment, as `net.link("client")` gives it. A small handle: copy it freely. Valid
/// as long as its network. Its functions return at once; they throw `could_not_run` where the network is used for the
/// first time and can't be made.
///
///     net.link("client").cut();
///     BOOST_TEST(client.execute("ping -c 1 -W 5 webserver").failed());
///     net.link("client").heal();
class network_link {
public:
    network_link(detail::network_core& network, std::string machine, std::string segment)
        : network_(&network), machine_(std::move(machine)), segment_(std::move(segment)) {}

    /// Loses every frame in both directions, until `heal`. The guest does not notice: its carrier stays up, as with a
    /// cable that is cut somewhere on its way. Cutting twice is cutting once. The end of the case heals.
    VMDSL_DECL void cut();
    /// Takes the cut back. Does nothing where the link is whole.
    VMDSL_DECL void heal();

private:
    detail::network_core* network_;
    std::string machine_;
    std::string segment_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/network_link.ipp>
#endif
