// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", forward<guest_port<1>>>;
#else
using subject = machine<"a", forward<guest_port<0>>>;
#endif

static_assert(!subject::name.empty());
