// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <vmdsl/guest/wire.hpp>

#include <agent/terminal.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::uint64_t longest_side = 65535;

}  // namespace

bool make_terminal(terminal_ends& to, std::span<const std::byte> payload) {
    to.master = unique_fd{::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
    int lock = 0;
    if (!to.master || ::ioctl(to.master.get(), TIOCSPTLCK, &lock) != 0) {
        return false;
    }
    // Not by its name: no file system has to be mounted where this process sees it.
    to.slave = unique_fd{::ioctl(to.master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC)};
    const winsize usual{24, 80, 0, 0};
    ::ioctl(to.master.get(), TIOCSWINSZ, &usual);
    set_terminal_size(to.master.get(), payload);
    return static_cast<bool>(to.slave);
}

void set_terminal_size(int master, std::span<const std::byte> payload) {
    const auto rows = wire::find_field(payload, wire::tag::rows).number();
    const auto columns = wire::find_field(payload, wire::tag::columns).number();
    if (rows < 1 || rows > longest_side || columns < 1 || columns > longest_side) {
        return;
    }
    const winsize size{static_cast<unsigned short>(rows), static_cast<unsigned short>(columns), 0, 0};
    ::ioctl(master, TIOCSWINSZ, &size);
}

}  // namespace vmdsl::agent
