// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

BOOST_AUTO_TEST_CASE(units_are_values) {
    BOOST_TEST((vmdsl::literals::operator""_KiB(1).count == 1024U));
}
