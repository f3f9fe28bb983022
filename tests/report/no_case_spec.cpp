// SPDX-License-Identifier: BSL-1.0
// A spec without a single case.
#include <boost/test/unit_test.hpp>
