// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What libvmdsl-coverage.so offers to the programs and libraries of a process that were compiled with coverage.

typedef void vmdsl_coverage_function(void);

/// Takes part in every flush from now on. The first call starts the thread that answers flush requests.
void vmdsl_coverage_add(vmdsl_coverage_function* dump, vmdsl_coverage_function* reset);

/// Before the caller is unloaded.
void vmdsl_coverage_remove(vmdsl_coverage_function* dump);
