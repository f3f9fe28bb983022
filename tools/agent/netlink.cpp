// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstring>

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include <agent/netlink.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

/// One message, with room for the few attributes that we send.
struct netlink::request {
    nlmsghdr header{};
    union {
        ifinfomsg link;
        ifaddrmsg address;
    };
    char attributes[256]{};

    request(std::uint16_t type, std::uint16_t flags, std::size_t body) noexcept : link{} {
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        header.nlmsg_len = static_cast<std::uint32_t>(NLMSG_LENGTH(body));
    }

    void add(std::uint16_t type, const void* value, std::size_t size) noexcept {
        const std::size_t at = NLMSG_ALIGN(header.nlmsg_len);
        rtattr attribute{};
        attribute.rta_type = type;
        attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
        auto* bytes = reinterpret_cast<char*>(this) + at;
        std::memcpy(bytes, &attribute, sizeof attribute);
        std::memcpy(bytes + RTA_LENGTH(0), value, size);
        header.nlmsg_len = static_cast<std::uint32_t>(at + RTA_ALIGN(RTA_LENGTH(size)));
    }
};

bool parse_interface_address(std::string_view from, interface_address& to) {
    const text address{take_word(from, "/")};
    if (!from.empty()) {
        from.remove_prefix(1);
    }
    to.family = address.view().find(':') == std::string_view::npos ? AF_INET : AF_INET6;
    const unsigned longest = to.family == AF_INET ? 32 : 128;
    return ::inet_pton(to.family, address.c_str(), &to.v6) == 1 && parse_number(from, to.prefix) &&
           to.prefix <= longest;
}

netlink::netlink() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)) {
}

int netlink::exchange(request& message) {
    message.header.nlmsg_seq = ++sequence_;
    if (::send(socket_.get(), &message, message.header.nlmsg_len, 0) < 0) {
        return errno;
    }
    alignas(nlmsghdr) char answer[1024];
    const ssize_t got = ::recv(socket_.get(), answer, sizeof answer, 0);
    if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) {
        return got < 0 ? errno : EPROTO;
    }
    nlmsgerr error;
    std::memcpy(&error, answer + NLMSG_HDRLEN, sizeof error);
    return -error.error;
}

int netlink::bring_up(int interface_index) {
    request message{RTM_NEWLINK, 0, sizeof(ifinfomsg)};
    message.link.ifi_family = AF_UNSPEC;
    message.link.ifi_index = interface_index;
    message.link.ifi_flags = IFF_UP;
    message.link.ifi_change = IFF_UP;
    return exchange(message);
}

int netlink::add_address(int interface_index, const interface_address& address) {
    request message{RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(ifaddrmsg)};
    message.address = {};
    message.address.ifa_family = static_cast<std::uint8_t>(address.family);
    message.address.ifa_prefixlen = address.prefix;
    message.address.ifa_index = static_cast<std::uint32_t>(interface_index);
    if (address.family == AF_INET) {
        message.add(IFA_LOCAL, &address.v4, sizeof address.v4);
        message.add(IFA_ADDRESS, &address.v4, sizeof address.v4);
        if (address.prefix < 31) {
            const std::uint32_t host_bits = 0xffffffffU >> address.prefix;
            in_addr broadcast{address.v4.s_addr | htonl(host_bits)};
            message.add(IFA_BROADCAST, &broadcast, sizeof broadcast);
        }
    } else {
        const std::uint32_t flags = IFA_F_NODAD;
        message.add(IFA_LOCAL, &address.v6, sizeof address.v6);
        message.add(IFA_ADDRESS, &address.v6, sizeof address.v6);
        message.add(IFA_FLAGS, &flags, sizeof flags);
    }
    return exchange(message);
}

}  // namespace vmdsl::agent
