// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace vmdsl::cli {

/// Whether what the line runs in a guest may read our standard input. A guest's terminal always gets what is typed.
enum class input_use : std::uint8_t { none, forwarded };

/// Asks a running network to do a line, shows what comes back, and lends our terminal to a guest's where the line asks
/// for one: then keys go there as they are typed, but for Ctrl-], which leaves. Returns the line's exit code. Throws
/// `could_not_run` where the network is gone.
[[nodiscard]] int converse(const std::filesystem::path& network, std::string_view line, input_use input);

/// What the last word of a line's beginning may become.
[[nodiscard]] std::vector<std::string> candidates(const std::filesystem::path& network, std::string_view beginning);

/// From here on a signal that ends this program puts the terminal's modes back first.
void keep_terminal_modes();
/// Puts them back as they were then.
void put_terminal_modes_back();

}  // namespace vmdsl::cli
