// SPDX-License-Identifier: BSL-1.0
// Header-only use without CMake: one source file of the program has main().
#include <vmdsl/main.hpp>

VMDSL_MAIN
