// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/coverage/line_counts.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl {

/// Reads what `gcov --json-format --stdout` printed, a document a line, and adds it to `counts`. Only files of the
/// build count, under the path that they have on the host; system headers are left out. A negative number counts as 0:
/// gcov derives some counts from others, and these need not match where code ran while they were written. Throws
/// `error` where it is no such thing.
VMDSL_DECL void add_gcov_output(line_counts& counts, std::string_view text, const instrumented_build& build);

/// The lines of everything that was built, none of which has run. Throws `error` where the build is gone.
[[nodiscard]] VMDSL_DECL line_counts lines_of_build(const instrumented_build& build);

/// What a shard's counters say.
struct shard_counts {
    line_counts counts;
    std::vector<std::string> problems;  ///< What is missing in them, and why; empty where they are complete.
};

/// Asks each build's own gcov. Counters with which that fails are left out, and are a problem.
[[nodiscard]] VMDSL_DECL shard_counts counts_of_shard(const coverage_shard& shard);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/gcov.ipp>
#endif
