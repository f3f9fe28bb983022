// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

class network_core;

/// Keeps the network for a person: says in the event stream that it is ready, and answers whoever connects to the
/// socket in the run's scratch folder, each on a thread of its own, until a signal ends the process. Throws
/// `could_not_run`.
[[noreturn]] VMDSL_DECL void serve_person(network_core& core);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/control_server.ipp>
#endif
