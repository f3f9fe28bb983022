// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

struct ready : checkpoint<network<machine<"box", memory<128_MiB>>>> {
    void prepare() { net.start(); }
};

BOOST_FIXTURE_TEST_SUITE(outside, restored<ready>)

BOOST_AUTO_TEST_CASE(a_machine_answers) {
    BOOST_TEST(net.machine("box").run("hostname").out() == "box\n");
}

BOOST_AUTO_TEST_SUITE_END()
