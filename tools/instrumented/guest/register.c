// SPDX-License-Identifier: BSL-1.0
// Linked into every program and library of an instrumented build: makes its counters known to libvmdsl-coverage.so.
// libgcc's functions are hidden in each of them, so each has to hand in its own.
#include "registry.h"

vmdsl_coverage_function __gcov_dump;
vmdsl_coverage_function __gcov_reset;

__attribute__((constructor)) static void add(void) {
    vmdsl_coverage_add(__gcov_dump, __gcov_reset);
}

__attribute__((destructor)) static void leave(void) {
    vmdsl_coverage_remove(__gcov_dump);
}
