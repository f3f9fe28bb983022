// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

#include <netinet/in.h>

#include <agent/fd.hpp>

namespace vmdsl::agent {

/// An address with the length of its network's prefix.
struct interface_address {
    int family = AF_UNSPEC;
    std::uint8_t prefix = 0;
    union {
        in_addr v4;
        in6_addr v6;
    };

    interface_address() noexcept : v6{} {}
};

/// "192.168.1.1/24" or "fd00:1::1/64". False where it is neither.
[[nodiscard]] bool parse_interface_address(std::string_view from, interface_address& to);

/// Changes network interfaces of the running kernel. Each function returns 0, or an errno.
class netlink {
public:
    netlink();

    int bring_up(int interface_index);
    /// IPv6 addresses are usable at once: no one else is asked whether he has it, too.
    int add_address(int interface_index, const interface_address& address);

private:
    struct request;

    int exchange(request& message);

    unique_fd socket_;
    std::uint32_t sequence_ = 0;
};

}  // namespace vmdsl::agent
