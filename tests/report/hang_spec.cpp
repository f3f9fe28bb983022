// SPDX-License-Identifier: BSL-1.0
// A spec whose second case does not end. IGNORE_SIGTERM: nor does its worker when it is asked to.
#include <csignal>
#include <cstdlib>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

namespace {

void hang() {
    if (::getenv("IGNORE_SIGTERM") != nullptr) {
        ::signal(SIGTERM, SIG_IGN);
    }
    for (;;) {
        ::pause();
    }
}

struct hangs_in_setup {
    void setup() { hang(); }
    void teardown() {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(before) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(hangs) {
    hang();
}

BOOST_AUTO_TEST_CASE(after) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE(in_a_fixture, *boost::unit_test::fixture<hangs_in_setup>() * boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(not_reached) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
