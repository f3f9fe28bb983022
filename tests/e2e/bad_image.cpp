// SPDX-License-Identifier: BSL-1.0
// Images that do not exist or do not boot; bad_input.py runs the cases one by one and reads what they say.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

BOOST_AUTO_TEST_CASE(unknown) {
    network<machine<"box", image<"no-such-image">, memory<128_MiB>>> net;
    net.start();
}

BOOST_AUTO_TEST_CASE(broken) {
    network<machine<"box", image<"broken">, memory<128_MiB>>> net;
    net.start(60s);
}

BOOST_AUTO_TEST_CASE(impatient) {
    network<machine<"box", image<"broken">, memory<128_MiB>>> net;
    net.start(8s);
}

BOOST_AUTO_TEST_CASE(full) {
    network<machine<"box", memory<128_MiB>, disk<"a", 1_GiB>, disk<"b", 1_GiB>, disk<"c", 1_GiB>>> net;
    net.start(60s);
}

BOOST_AUTO_TEST_CASE(greedy) {
    network<machine<"modest", memory<128_MiB>>, machine<"box", memory<4096_GiB>>> net;
    net.start(60s);
}

BOOST_AUTO_TEST_CASE(large) {
    network<machine<"box", memory<3_GiB>>> net;
    net.start(60s);
}
