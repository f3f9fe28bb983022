// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <unistd.h>

#include <vmdsl/detail/baked_in.hpp>
#include <vmdsl/qemu/program.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::uint64_t& declared_memory_mib() noexcept {
    static std::uint64_t mib = 0;
    return mib;
}

inline const char*& declared_prompt() noexcept {
    static const char* path = nullptr;
    return path;
}

VMDSL_DECL prompt_declaration::prompt_declaration(const char* path) noexcept {
    declared_prompt() = path;
}

VMDSL_DECL std::string prompt_program() {
    const char* const declared = declared_prompt();
    return declared != nullptr && ::access(declared, X_OK) == 0 ? declared : find_in_path("vmdsl");
}

}  // namespace vmdsl::detail
