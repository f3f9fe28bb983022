// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

/// What a guardian watches over.
struct guarded_run {
    std::string id;              ///< The run's id; every process of the run carries it in VMDSL_RUN_ID.
    std::filesystem::path base;  ///< Absolute; the scratch folder is made below it.
    bool keep = false;           ///< Leaves the scratch folder behind, under a name that no later run sweeps away.
};

/// The process that cleans up after a run, however the run ends.
///
/// It runs in a session of its own and reads from a pipe whose only writing end is ours, so that it sees our end even
/// where that is SIGKILL. Then it kills every process of the run, removes the scratch folder and exits. It makes that
/// folder itself: there is no moment at which the folder exists and nobody is there to remove it. A run that ends
/// normally ends the same way.
///
/// Not thread-safe; the process must be single-threaded when it starts one.
class guardian {
public:
    /// Starts the process and waits until it has made the scratch folder. Throws `could_not_run`.
    VMDSL_DECL explicit guardian(guarded_run run);

    /// Same as `finish(false)`.
    VMDSL_DECL ~guardian();

    guardian(const guardian&) = delete;
    guardian& operator=(const guardian&) = delete;

    [[nodiscard]] const std::filesystem::path& scratch_directory() const noexcept { return scratch_; }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// Starts another one for the same run and folder, after somebody ended this one and the caller has reaped it.
    /// Throws `could_not_run`.
    VMDSL_DECL void replace();

    /// Lets it clean up and waits for that, a few seconds at most. Where the caller knows that the run's processes have
    /// ended, that takes one look to confirm, else several. Does it itself where somebody ended the process.
    /// Returns false where processes of the run or files are left.
    VMDSL_DECL bool finish(bool processes_ended) noexcept;

private:
    VMDSL_DECL void start();

    guarded_run run_;
    std::filesystem::path scratch_;
    unique_fd scratch_lock_;
    unique_fd life_;
    pid_t pid_ = -1;
    bool finished_ = false;
};

namespace detail {

/// The first argument that makes our executable a guardian instead of a test run.
inline constexpr std::string_view guardian_argument = "--vmdsl-guardian";

/// The guardian's own life. Reports the scratch folder ("+path\n") or why there is none ("-reason\n") to `report`,
/// waits for the end of `life`, cleans up. Returns the exit code: 0, or 1 where something is left.
[[nodiscard]] VMDSL_DECL int watch_over(const guarded_run& run, unique_fd life, unique_fd report);

/// `watch_over` with what stands in the arguments after `guardian_argument`.
[[nodiscard]] VMDSL_DECL int guardian_main(const std::vector<std::string_view>& arguments);

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/process/impl/guardian.ipp>
#endif
