// SPDX-License-Identifier: BSL-1.0
// What every spec pays, whatever it does.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>
