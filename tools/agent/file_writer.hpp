// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

#include <sys/types.h>

#include <agent/fd.hpp>
#include <agent/stream.hpp>

namespace vmdsl::agent {

/// Writes a file. It appears under its name when all of it is there: it is written beside its place and renamed, unless
/// it is appended to, or is something that can't be replaced (a device, a file in /proc).
class file_writer final : public stream {
public:
    using stream::stream;
    ~file_writer() override;

    void open(std::span<const std::byte> payload) override;
    void on_data(std::span<const std::byte> bytes) override;
    void on_end() override;

private:
    [[nodiscard]] int open_beside(mode_t mode);

    text path_;
    text beside_;  ///< Where it is written first. Empty where it is written in its place.
    unique_fd file_;
};

}  // namespace vmdsl::agent
