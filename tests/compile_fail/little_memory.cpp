// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", memory<32_MiB>>;
#else
using subject = machine<"a", memory<31_MiB>>;
#endif

static_assert(!subject::name.empty());
