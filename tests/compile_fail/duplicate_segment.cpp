// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

#if CASE == 0
using lab = network<segment<"a">, segment<"b">, machine<"web">>;
#else
using lab = network<segment<"a">, segment<"a">, machine<"web">>;
#endif

void use(lab& net) {
    net.start();
    net.machine("web").run("true");
    net.link("web").cut();
}
