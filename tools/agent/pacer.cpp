// SPDX-License-Identifier: BSL-1.0
#include <fcntl.h>
#include <sys/ioctl.h>
#include <time.h>

#include <vmdsl/guest/wire.hpp>

#include <agent/clock.hpp>
#include <agent/pacer.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::size_t enough = wire::max_payload / 2;

/// One tick of the kernel is precise enough, and reading it costs next to nothing, even where the real clock has to be
/// asked over the (virtual) bus.
std::uint64_t coarse_now() noexcept {
    return clock_nanoseconds(CLOCK_MONOTONIC_COARSE);
}

}  // namespace

std::size_t bytes_waiting(int fd) noexcept {
    int count = 0;
    return ::ioctl(fd, FIONREAD, &count) == 0 && count > 0 ? static_cast<std::size_t>(count) : 0;
}

bool pacer::should_wait(int fd, std::size_t wanted) {
    if (last_sent_ != coarse_now()) {
        return false;
    }
    if (!enlarged_) {
        // So that the program can go on meanwhile. Not done for every command, as most never fill the usual 64 KiB.
        enlarged_ = true;
        ::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(wire::initial_credit));
    }
    return bytes_waiting(fd) < (wanted < enough ? wanted : enough);
}

void pacer::sent() noexcept {
    last_sent_ = coarse_now();
}

}  // namespace vmdsl::agent
