// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The switch between header-only use and a library that is compiled once, and the version of vmdsl.
///
/// Without any macro every function body is included and `inline`. With `VMDSL_SEPARATE_COMPILATION` (set by the CMake
/// target `vmdsl::vmdsl`, which `add_vm_test` links) the headers only declare, and exactly one library holds the
/// bodies: it includes `<vmdsl/src.hpp>`. A spec then sees neither Asio nor Boost.Process nor Boost.JSON.
#if defined(VMDSL_SEPARATE_COMPILATION)
#define VMDSL_DECL
#else
#define VMDSL_HEADER_ONLY 1
#define VMDSL_DECL inline
#endif

#if defined(__clang__)
#if __clang_major__ < 14
#error "vmdsl needs clang 14 or newer"
#endif
#elif defined(__GNUC__)
#if __GNUC__ < 12
#error "vmdsl needs g++ 12 or newer"
#endif
#endif

#if __cplusplus < 202002L
#error "vmdsl needs C++20: compile with -std=c++20"
#endif

/// Version of vmdsl as one number: `major * 10000 + minor * 100 + patch`.
#define VMDSL_VERSION 100
