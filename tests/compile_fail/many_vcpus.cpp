// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", vcpus<16>>;
#else
using subject = machine<"a", vcpus<17>>;
#endif

static_assert(!subject::name.empty());
