// SPDX-License-Identifier: BSL-1.0
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <agent/clock.hpp>
#include <agent/port.hpp>
#include <agent/small_file.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::uint64_t patience = 30 * nanoseconds_per_second;
/// In case the kernel dropped an event.
constexpr int look_again_after_milliseconds = 500;

unique_fd open_named_port(std::string_view name) {
    DIR* ports = ::opendir("/sys/class/virtio-ports");
    if (ports == nullptr) {
        return {};
    }
    unique_fd found;
    while (const dirent* entry = ::readdir(ports)) {
        if (read_small_file(join({"/sys/class/virtio-ports/", entry->d_name, "/name"}).c_str()).view() == name) {
            found =
                unique_fd{::open(join({"/dev/", entry->d_name}).c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
            break;
        }
    }
    ::closedir(ports);
    return found;
}

/// The kernel's announcements of devices.
unique_fd listen_for_devices() {
    unique_fd events{::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1;
    if (events && ::bind(events.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        events.reset();
    }
    return events;
}

}  // namespace

unique_fd open_port(std::string_view name) {
    if (auto port = open_named_port(name)) {
        return port;
    }
    // A port gets its name from the host, some time after the driver has found it.
    const auto events = listen_for_devices();
    const std::uint64_t end = monotonic_nanoseconds() + patience;
    while (true) {
        if (auto port = open_named_port(name)) {
            return port;
        }
        if (monotonic_nanoseconds() > end) {
            return {};
        }
        pollfd waiting{events.get(), POLLIN, 0};
        ::poll(&waiting, 1, look_again_after_milliseconds);
        char forgotten[4096];
        while (events && ::recv(events.get(), forgotten, sizeof forgotten, 0) > 0) {
        }
    }
}

}  // namespace vmdsl::agent
