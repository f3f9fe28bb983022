// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/network.hpp>

using namespace vmdsl;

#if CASE == 0
using lab = network<machine<"a", forward<host_port<8080>, guest_port<80>>>,
                    machine<"b", forward<host_port<8081>, guest_port<80>>>>;
#else
using lab = network<machine<"a", forward<host_port<8080>, guest_port<80>>>,
                    machine<"b", forward<host_port<8080>, guest_port<81>>>>;
#endif

void use(lab& net) {
    net.start();
}
