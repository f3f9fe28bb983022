// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl::detail {

/// How much memory add_vm_test told ctest that this spec's machines need together, in MiB; 0 where nobody did.
[[nodiscard]] VMDSL_DECL std::uint64_t& declared_memory_mib() noexcept;

/// Set by the source that add_vm_test generates.
class memory_declaration {
public:
    explicit memory_declaration(std::uint64_t mib) noexcept { declared_memory_mib() = mib; }
};

/// The path of the program `vmdsl`, which gives a person a prompt: the one that was built with this spec, where it is
/// still there, else the one in $PATH. Empty where there is none.
[[nodiscard]] VMDSL_DECL std::string prompt_program();

/// Set by the source that add_vm_test generates. `path` must live as long as the program.
class prompt_declaration {
public:
    VMDSL_DECL explicit prompt_declaration(const char* path) noexcept;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/baked_in.ipp>
#endif
