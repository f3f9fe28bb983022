// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

#if CASE == 0
using lab = network<machine<"a">>;
#else
using lab = network<>;
#endif

void use(lab& net) {
    net.start();
}
