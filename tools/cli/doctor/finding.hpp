// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vmdsl::cli {

/// How well one thing is.
enum class health : std::uint8_t {
    good,     ///< As needed.
    costly,   ///< It works, but slower or narrower than it could.
    missing,  ///< Nothing works without it.
};

/// One thing that the doctor looked at.
struct finding {
    std::string id;      ///< For programs: "qemu".
    health state;        ///< How it is.
    std::string text;    ///< A sentence for people.
    std::string remedy;  ///< The command that mends it, or what else to do; empty where nothing is to be mended.
};

using findings = std::vector<finding>;

/// What running tests needs: QEMU, KVM, memory, processors, room for temporary files.
[[nodiscard]] findings look_at_running();
/// What building guest images needs. Asks the image tool.
[[nodiscard]] findings look_at_images();
/// What compiling specs needs.
[[nodiscard]] findings look_at_developing();

/// The command that installs packages, for this user of this system.
[[nodiscard]] std::string install_command(std::string_view packages);

/// A whole file; empty where it can't be read.
[[nodiscard]] std::string read_text(const std::string& path);

}  // namespace vmdsl::cli
