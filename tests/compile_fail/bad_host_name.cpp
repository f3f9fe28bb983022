// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"web-server">;
#else
using subject = machine<"web_server">;
#endif

static_assert(!subject::name.empty());
