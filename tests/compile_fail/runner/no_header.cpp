// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/a_header_that_was_renamed.hpp>

#if CASE
int broken = the_mistake;
#endif
