// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", disk<"data", 1024_KiB>>;
#else
using subject = machine<"a", disk<"data", 1023_KiB>>;
#endif

static_assert(!subject::name.empty());
