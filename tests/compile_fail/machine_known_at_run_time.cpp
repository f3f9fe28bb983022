// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

using lab = network<machine<"webserver">, machine<"client">>;

void use(lab& net, const char* name) {
#if CASE == 0
    static_cast<void>(name);
    net.machine("client").run("true");
#else
    net.machine(name).run("true");
#endif
}
