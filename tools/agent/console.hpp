// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <initializer_list>
#include <string_view>

namespace vmdsl::agent {

/// From now on `say` writes to /dev/console instead of standard error.
void use_console() noexcept;

/// Writes one line that begins with "vmdsl: ".
void say(std::initializer_list<std::string_view> parts) noexcept;

/// For process 1: says why, waits until the line is out, and ends, which makes the kernel panic where the host sees it.
[[noreturn]] void fail(std::initializer_list<std::string_view> parts) noexcept;

}  // namespace vmdsl::agent
