// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/coverage/line_counts.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl {

/// Reads what `gcov --json-format --stdout` printed, a document a line, and adds it to `counts`. Only files of the
/// build count, under the path that they have on the host; system headers are left out. Throws `error` where it is no
/// such thing.
VMDSL_DECL void add_gcov_output(line_counts& counts, std::string_view text, const instrumented_build& build);

/// The lines of everything that was built, none of which has run.
[[nodiscard]] VMDSL_DECL line_counts lines_of_build(const instrumented_build& build);

/// What a shard's counters say, by the build's own gcov. Throws `could_not_run` where that fails.
[[nodiscard]] VMDSL_DECL line_counts counts_of_shard(const coverage_shard& shard);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/gcov.ipp>
#endif
