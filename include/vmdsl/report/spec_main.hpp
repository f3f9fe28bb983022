// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

/// The `main` of a test program. The same executable plays three parts: started by a user it is the supervisor, which
/// starts it again as guardian and as worker.
[[nodiscard]] VMDSL_DECL int spec_main(int argc, char** argv);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/spec_main.ipp>
#endif
