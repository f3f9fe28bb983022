// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/coverage/collection.hpp>
#include <vmdsl/qemu/image.hpp>

namespace vmdsl {

/// The counters of one machine during one case, or a part of it: a folder with a copy of each file of counters that are
/// not all zero, as BUILD/PATH-IN-THE-GUEST, and a manifest, shard.json.
struct coverage_shard {
    std::filesystem::path folder;
    std::string machine;
    std::string test;  ///< The case, "(checkpoint)" for what it starts from, "(outside of cases)".
    std::vector<instrumented_build> builds;  ///< Of the machine's image; none where it only says what is lost.
    std::size_t files = 0;                   ///< How many files of counters there are.
    std::vector<std::string> problems;       ///< Why it is not complete; empty where it is.
};

/// Writes a shard with a number of its own into `folder`, and returns it: what `beginning` says, the counters that are
/// good, and what is wrong with the others among the problems. Thread-safe, also between processes. Throws
/// `could_not_run` where the host's disk refuses.
VMDSL_DECL coverage_shard write_shard(const std::filesystem::path& folder, const coverage_shard& beginning,
                                      const collection& collected);

/// All shards of a folder, in the order of their numbers. Empty where the folder is missing. One whose manifest can't
/// be read, as the run was ended while it was written, say, has no machine and a problem.
[[nodiscard]] VMDSL_DECL std::vector<coverage_shard> read_shards(const std::filesystem::path& folder);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/coverage/impl/shard.ipp>
#endif
