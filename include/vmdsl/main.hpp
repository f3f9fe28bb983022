// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The `main` of a test program that uses vmdsl header-only.

#include <vmdsl/report/spec_main.hpp>

/// Defines `main`: write `VMDSL_MAIN` into one file of a test program that uses vmdsl header-only. With the compiled
/// library, link `vmdsl::main` instead. `add_vm_test` does the one or the other, so its specs need neither.
#define VMDSL_MAIN                                   \
    int main(int argc, char** argv) {                \
        return vmdsl::detail::spec_main(argc, argv); \
    }
