// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/qemu/command_line.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl::detail {

// What a machine's plan means for QEMU.

/// The same with the machine's name, and what to do where memory was short.
[[nodiscard]] VMDSL_DECL could_not_run named(const could_not_run& problem, const machine_plan& plan);

/// The image that it boots. Throws `could_not_run`.
[[nodiscard]] VMDSL_DECL image_description image_of(const machine_plan& plan);

/// A guest with more memory than there is would be killed, or the host with it, as soon as it uses that. Throws
/// `could_not_run`.
VMDSL_DECL void check_memory(const machine_plan& plan);

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
