// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

#if CASE == 0
using lab = network<machine<"web">, machine<"web2">>;
#else
using lab = network<machine<"web">, machine<"Web">>;
#endif

void use(lab& net) {
    net.start();
    net.machine("web").run("true");
    net.link("web").cut();
}
