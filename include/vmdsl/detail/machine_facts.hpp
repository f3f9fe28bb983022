// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vmdsl::detail {

enum class option_kind : std::uint8_t {
    none,
    image,
    boot,
    memory,
    vcpus,
    disk,
    segment,
    forward,
    kernel_arguments,
    qemu_arguments,
    volatile_root,
    display
};

/// What an option of a machine says, as a value: everything that looks at options is then an ordinary function, which
/// compiles once, instead of a template, which compiles for each machine of each spec.
struct option_facts {
    option_kind kind = option_kind::none;
    std::string_view text = {};         ///< The name of an image, disk or segment; a kernel's path.
    std::string_view second_text = {};  ///< An initial RAM disk's path.
    std::uint64_t number = 0;           ///< Bytes, processors, or the guest's port.
    std::uint16_t host_port = 0;
    const std::string_view* list = nullptr;  ///< Arguments.
    std::size_t list_size = 0;
};

/// What a machine of a network is, as a value. Refers to the constants of its type.
struct machine_facts {
    std::string_view name;
    const option_facts* options = nullptr;
    std::size_t option_count = 0;

    [[nodiscard]] constexpr const option_facts* begin() const noexcept { return options; }
    [[nodiscard]] constexpr const option_facts* end() const noexcept { return options + option_count; }

    [[nodiscard]] constexpr std::size_t count(option_kind kind) const noexcept {
        std::size_t result = 0;
        for (const auto& option : *this) {
            result += option.kind == kind ? 1 : 0;
        }
        return result;
    }

    [[nodiscard]] constexpr bool texts_differ(option_kind kind) const noexcept {
        for (const auto* a = begin(); a != end(); ++a) {
            for (const auto* b = begin(); b != a; ++b) {
                if (a->kind == kind && b->kind == kind && a->text == b->text) {
                    return false;
                }
            }
        }
        return true;
    }

    [[nodiscard]] constexpr bool guest_ports_differ() const noexcept {
        for (const auto* a = begin(); a != end(); ++a) {
            for (const auto* b = begin(); b != a; ++b) {
                if (a->kind == option_kind::forward && b->kind == option_kind::forward && a->number == b->number) {
                    return false;
                }
            }
        }
        return true;
    }

    [[nodiscard]] constexpr bool forwards(std::uint16_t guest_port) const noexcept {
        for (const auto& option : *this) {
            if (option.kind == option_kind::forward && option.number == guest_port) {
                return true;
            }
        }
        return false;
    }
};

}  // namespace vmdsl::detail
