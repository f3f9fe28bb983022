// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

#include <agent/fd.hpp>

namespace vmdsl::agent {

/// Opens the virtio-serial port with this name, and waits until there is one. Nothing where none has come up in time.
[[nodiscard]] unique_fd open_port(std::string_view name);

}  // namespace vmdsl::agent
