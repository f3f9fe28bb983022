// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", memory<65536_KiB>>;
#else
using subject = machine<"a", memory<65537_KiB>>;
#endif

static_assert(!subject::name.empty());
