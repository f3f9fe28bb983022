// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/main.hpp>

VMDSL_MAIN
