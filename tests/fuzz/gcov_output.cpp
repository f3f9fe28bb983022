// SPDX-License-Identifier: BSL-1.0
// What gcov prints of counters that a guest sent.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include <vmdsl/core/error.hpp>
#include <vmdsl/coverage/gcov.hpp>
#include <vmdsl/coverage/line_counts.hpp>

#include <fuzz/fuzz_input.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    vmdsl::line_counts counts;
    try {
        vmdsl::add_gcov_output(counts, text, {"/build", "/coverage/own"});
    } catch (const vmdsl::error&) {
        return 0;
    }
    for (const auto& [path, source] : counts) {
        fuzz::require(path.starts_with("/build/tree/coverage/own/"), "only the build's own files count");
        fuzz::require(path.find("/../") == std::string::npos, "and none outside of it");
        fuzz::require(source.lines_run() <= source.lines.size(), "no more lines run than there are");
    }
    const auto tracefile = vmdsl::to_tracefile("web/case", counts);
    const auto records = static_cast<std::size_t>(std::count(tracefile.begin(), tracefile.end(), '\n'));
    fuzz::require(counts.empty() == tracefile.empty() && records >= 7 * counts.size(), "each file has its record");
    return 0;
}
