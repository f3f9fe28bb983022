// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

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

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/baked_in.ipp>
#endif
