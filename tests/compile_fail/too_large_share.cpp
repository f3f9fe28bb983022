// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/core/units.hpp>

using namespace vmdsl;

#if CASE == 0
constexpr auto amount = 100_percent;
#else
constexpr auto amount = 100.5_percent;
#endif

static_assert(amount == amount);
