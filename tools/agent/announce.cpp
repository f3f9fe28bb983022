// SPDX-License-Identifier: BSL-1.0
#include <cstring>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <sys/socket.h>

#include <agent/announce.hpp>
#include <agent/fd.hpp>

namespace vmdsl::agent {

namespace {

int announce_v4(int interface_index, const std::uint8_t (&hardware_address)[6], in_addr address) {
    const unique_fd socket{::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (!socket) {
        return errno;
    }
    ether_arp packet{};
    packet.arp_hrd = htons(ARPHRD_ETHER);
    packet.arp_pro = htons(ETH_P_IP);
    packet.arp_hln = sizeof hardware_address;
    packet.arp_pln = sizeof address;
    packet.arp_op = htons(ARPOP_REQUEST);
    std::memcpy(packet.arp_sha, hardware_address, sizeof hardware_address);
    std::memcpy(packet.arp_spa, &address, sizeof address);
    std::memcpy(packet.arp_tpa, &address, sizeof address);
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(ETH_P_ARP);
    to.sll_ifindex = interface_index;
    to.sll_halen = sizeof hardware_address;
    std::memset(to.sll_addr, 0xff, sizeof hardware_address);
    return ::sendto(socket.get(), &packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0 ? errno
                                                                                                              : 0;
}

int announce_v6(int interface_index, const std::uint8_t (&hardware_address)[6], const in6_addr& address) {
    const unique_fd socket{::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6)};
    if (!socket) {
        return errno;
    }
    // Neighbours accept nothing that could have come over a router.
    const int hops = 255;
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
    ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_MULTICAST_IF, &interface_index, sizeof interface_index);
    sockaddr_in6 from{};
    from.sin6_family = AF_INET6;
    from.sin6_addr = address;
    if (::bind(socket.get(), reinterpret_cast<sockaddr*>(&from), sizeof from) != 0) {
        return errno;
    }
    struct {
        nd_neighbor_advert advert;
        nd_opt_hdr option;
        std::uint8_t hardware_address[6];
    } packet{};
    packet.advert.nd_na_type = ND_NEIGHBOR_ADVERT;
    packet.advert.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
    packet.advert.nd_na_target = address;
    packet.option.nd_opt_type = ND_OPT_TARGET_LINKADDR;
    packet.option.nd_opt_len = 1;
    std::memcpy(packet.hardware_address, hardware_address, sizeof hardware_address);
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    ::inet_pton(AF_INET6, "ff02::1", &to.sin6_addr);
    return ::sendto(socket.get(), &packet, sizeof packet, 0, reinterpret_cast<sockaddr*>(&to), sizeof to) < 0 ? errno
                                                                                                              : 0;
}

}  // namespace

int announce_address(int interface_index, const std::uint8_t (&hardware_address)[6], const interface_address& address) {
    return address.family == AF_INET ? announce_v4(interface_index, hardware_address, address.v4)
                                     : announce_v6(interface_index, hardware_address, address.v6);
}

}  // namespace vmdsl::agent
