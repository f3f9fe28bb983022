// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/plan.hpp>

namespace vmdsl {

/// How many segments a network can have, and how many machines: a number must fit one byte of an IPv4 address.
inline constexpr std::size_t most_addressable = 254;

/// The addresses of one network card. Segment k and machine n are numbered from 1 in declaration order, so that adding
/// one at the end never renumbers the others.
struct nic_address {
    std::string segment;  ///< Name of the segment that the card is plugged into.
    std::string mac;      ///< "52:54:00:12:kk:nn", both in hexadecimal.
    std::string ipv4;     ///< "192.168.k.n/24".
    std::string ipv6;     ///< "fd00:k::n/64"; k and n show the same decimal digits as in the IPv4 address.

    friend bool operator==(const nic_address&, const nic_address&) = default;
};

/// Throws usage_error where addresses cannot be given: more than 254 machines or segments, a name that is declared
/// twice or is no host name (letters, digits, '-' and '_', at most 63 characters), a card on a segment that isn't
/// declared, two cards of one machine on the same segment.
VMDSL_DECL void check_addressable(const network_plan& plan);

/// The addresses of a machine's network cards, in the order of `machine_plan::segments`.
/// Throws usage_error as check_addressable() does, and where no machine has this name.
[[nodiscard]] VMDSL_DECL std::vector<nic_address> nic_addresses(const network_plan& plan, std::string_view machine);

/// "mac ipv4 ipv6", separated by single spaces: how a card's addresses are told to the machine.
[[nodiscard]] VMDSL_DECL std::string interface_line(const nic_address& address);

/// The lines that every machine's /etc/hosts gets in addition to localhost's: each address of each machine, both
/// families. A machine's name means its first card; `name.segment` names the card on that segment, the first one too.
/// A machine without a card has no line. Throws usage_error as check_addressable() does.
[[nodiscard]] VMDSL_DECL std::string hosts_file(const network_plan& plan);

/// 32 hexadecimal digits for /etc/machine-id, the same for the same machine name always and everywhere. It has the
/// shape of a version 4 UUID, as systemd's own have, and equals machine_uuid() without its dashes.
[[nodiscard]] VMDSL_DECL std::string machine_id(std::string_view machine);

/// The machine's UUID as firmware shows it (QEMU's -uuid), the same for the same machine name always and everywhere.
[[nodiscard]] VMDSL_DECL std::string machine_uuid(std::string_view machine);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/addressing.ipp>
#endif
