// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/core/units.hpp>

using namespace vmdsl;

#if CASE == 0
constexpr auto amount = 17179869183_GiB;
#else
constexpr auto amount = 17179869184_GiB;
#endif

static_assert(amount == amount);
