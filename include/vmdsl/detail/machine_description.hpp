// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/qemu/command_line.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl::detail {

// What a machine's plan means for QEMU.

/// Its QEMU, but for memory, disks, cards and descriptors.
[[nodiscard]] VMDSL_DECL qemu_configuration configuration_of(const machine_plan& plan, const image_description& image);

/// The disks of a machine that is new, made in a folder.
[[nodiscard]] VMDSL_DECL std::vector<qemu_disk> new_disks(const machine_plan& plan, const image_description& image,
                                                          const std::filesystem::path& folder);
/// Those of a machine that starts from saved ones: an overlay over each that can be written.
[[nodiscard]] VMDSL_DECL std::vector<qemu_disk> overlays_of(const std::vector<qemu_disk>& saved,
                                                            const machine_plan& plan,
                                                            const std::filesystem::path& folder);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/machine_description.ipp>
#endif
