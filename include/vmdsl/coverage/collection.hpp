// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/coverage/counter_file.hpp>

namespace vmdsl {

/// What a guest's collector (tools/instrumented/guest/collect.c) found.
struct collection {
    std::vector<counter_file> files;
    std::vector<std::string> missed;  ///< "apache2 (process 12): does-not-answer": their counters are not among these.
    std::vector<std::string> errors;  ///< What the guest's libgcc could not write, in its words.
    std::size_t flushed = 0;          ///< How many running processes wrote their counters.
    std::string problem;              ///< Why there is no more; empty where this is all.
};

/// Reads what the collector printed, up to where that is cut off or makes no sense: a file that has arrived whole is
/// gone from the guest.
[[nodiscard]] VMDSL_DECL collection parse_collection(std::string_view text);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/collection.ipp>
#endif
