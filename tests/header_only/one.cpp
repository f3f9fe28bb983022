// SPDX-License-Identifier: BSL-1.0
// Everything included and inline, in two translation units: the program links and lists its cases.
#include <boost/test/unit_test.hpp>

#include <vmdsl/main.hpp>
#include <vmdsl/vmdsl.hpp>

VMDSL_MAIN

using namespace vmdsl;

BOOST_AUTO_TEST_CASE(a_network_can_be_described) {
    network<machine<"box">> net;
    BOOST_TEST(net.machine("box").name() == "box");
}
