// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/report/spec_main.hpp>

/// Defines `main`: put it into one file of a test program that uses vmdsl header-only. With the compiled library, link
/// `vmdsl::main` instead (`add_vm_test` does).
#define VMDSL_MAIN                                   \
    int main(int argc, char** argv) {                \
        return vmdsl::detail::spec_main(argc, argv); \
    }
