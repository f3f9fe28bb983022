// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>

#include <agent/stream.hpp>

namespace vmdsl::agent {

/// Tells a file's size and mode. Follows symbolic links.
class file_status final : public stream {
public:
    using stream::stream;

    void open(std::span<const std::byte> payload) override;
};

}  // namespace vmdsl::agent
