// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/vmdsl.hpp>

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_CASE(units_are_values) { BOOST_TEST((vmdsl::literals::operator""_KiB(1).count == 1024U)); }
