// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/qemu/image.hpp>

/// Internal: what a machine needs of its host before it can start, and the errors about that.
namespace vmdsl::detail {

/// The image that the machine boots, or its own kernel and initrd as one. Throws `could_not_run`: there is none.
[[nodiscard]] VMDSL_DECL image_description image_of(const machine_plan& plan);

/// A guest with more memory than there is would be killed, or the host with it, as soon as it uses that. Throws
/// `could_not_run`.
VMDSL_DECL void check_memory(const machine_plan& plan);

/// The same problem with the machine's name, and what to do where memory was short.
[[nodiscard]] VMDSL_DECL could_not_run named(const could_not_run& problem, const machine_plan& plan);

/// A verb that makes no sense for the machine as it is now.
[[nodiscard]] VMDSL_DECL usage_error misuse_of(const machine_plan& plan, std::string what_failed,
                                               std::string hint = {});

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/machine_needs.ipp>
#endif
