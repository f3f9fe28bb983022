// SPDX-License-Identifier: BSL-1.0
#pragma once

namespace vmdsl::agent {

/// Loads the kernel modules that the list names, one path a line (below /modules where relative; parameters may follow
/// after a space, `#` begins a comment). One that can't be loaded is reported on the console, the others still are.
void load_modules(const char* list);

}  // namespace vmdsl::agent
