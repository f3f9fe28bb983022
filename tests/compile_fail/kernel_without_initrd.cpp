// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", boot<kernel<"bzImage">, initrd<"initrd">>>;
#else
using subject = machine<"a", boot<kernel<"bzImage">>>;
#endif

static_assert(!subject::name.empty());
