// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

#if CASE == 0
using lab = network<segment<"dmz">, machine<"a", segment<"dmz">>>;
#else
using lab = network<segment<"dmz">, machine<"a", segment<"dnz">>>;
#endif

void use(lab& net) {
    net.start();
}
