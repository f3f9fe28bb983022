// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", disk<"data_2024-01-31", 1_GiB>>;
#else
using subject = machine<"a", disk<"data/2024", 1_GiB>>;
#endif

static_assert(!subject::name.empty());
