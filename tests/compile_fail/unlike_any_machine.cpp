// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

using lab = network<machine<"webserver">, machine<"client">>;

void use(lab& net) {
#if CASE == 0
    net.machine("client").run("true");
#else
    net.machine("database").run("true");
#endif
}
