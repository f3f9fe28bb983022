// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string_view>

#include <agent/text.hpp>

namespace vmdsl::agent {

/// What is meant for us on the kernel's command line.
struct kernel_arguments {
    unsigned configure_timeout_seconds = 10;  ///< vmdsl.configure_timeout=SECONDS
    bool volatile_root = false;               ///< vmdsl.volatile_root
};

[[nodiscard]] kernel_arguments parse_kernel_arguments(std::string_view command_line);

}  // namespace vmdsl::agent
