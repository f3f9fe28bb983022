// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

#include <agent/fd.hpp>
#include <agent/stream.hpp>

namespace vmdsl::agent {

/// Sends a file's content.
class file_reader final : public stream {
public:
    using stream::stream;

    void open(std::span<const std::byte> payload) override;
    step_result step() override;

private:
    text path_;
    unique_fd file_;
};

}  // namespace vmdsl::agent
