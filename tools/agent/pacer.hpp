// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace vmdsl::agent {

/// Gathers what a program writes in small pieces. The first piece goes to the host at once; those that follow on its
/// heels wait a moment for each other, since a frame costs far more than the bytes in it (measured under TCG: 4 KiB
/// pieces are several times slower than 64 KiB ones).
class pacer {
public:
    /// Whether to come back in a moment rather than read now what is in `fd`, where `wanted` bytes could be taken.
    [[nodiscard]] bool should_wait(int fd, std::size_t wanted);
    /// Something was read and sent.
    void sent() noexcept;

private:
    std::uint64_t last_sent_ = 0;
    bool enlarged_ = false;
};

/// How many bytes a pipe or socket holds for us.
[[nodiscard]] std::size_t bytes_waiting(int fd) noexcept;

}  // namespace vmdsl::agent
