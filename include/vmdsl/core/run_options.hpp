// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/types.h>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What the present run was asked for, and where it may write.
struct run_options {
    std::filesystem::path output_directory;   ///< Exists; result files in it outlive the run.
    std::filesystem::path scratch_directory;  ///< Exists; for nobody else to see, and removed when the run is over.
    std::string acceleration = "auto";        ///< "auto", "kvm" or "tcg".
    std::chrono::seconds case_timeout{300};   ///< How long a case may take (`case_clock`); 0: as long as it likes.
    bool interactive = false;                 ///< A person is at the keyboard: declared host ports are bound.
    bool holds = false;                       ///< The first network that starts is kept for that person; no case runs.
    bool verbose = false;                     ///< The user asked to see more.
};

/// The options of this process' run. The supervisor hands them to its worker in the environment; in a process that no
/// supervisor started (a unit test, a tool) they are the defaults, with a scratch folder that is made at the first call
/// and removed when the process exits, and an output folder inside of it.
///
/// Throws `could_not_run` where no scratch folder can be made, `usage_error` where the environment makes no sense.
/// Thread-safe; the reference stays valid.
[[nodiscard]] VMDSL_DECL const run_options& current_run();

namespace detail {

/// The environment variable that marks every process of a run. Its value is a list, separated by colons: a run that is
/// started by a worker of another run belongs to both.
inline constexpr const char* run_id_variable = "VMDSL_RUN_ID";
/// How the supervisor tells its worker the options.
inline constexpr const char* run_output_variable = "VMDSL_RUN_OUTPUT";
inline constexpr const char* run_scratch_variable = "VMDSL_RUN_SCRATCH";
inline constexpr const char* run_case_timeout_variable = "VMDSL_RUN_CASE_TIMEOUT";
inline constexpr const char* run_interactive_variable = "VMDSL_RUN_INTERACTIVE";
inline constexpr const char* run_holds_variable = "VMDSL_RUN_HOLDS";
inline constexpr const char* run_verbose_variable = "VMDSL_RUN_VERBOSE";
/// Set by users, and by the supervisor for its worker.
inline constexpr const char* acceleration_variable = "VMDSL_ACCEL";
inline constexpr const char* scratch_base_variable = "VMDSL_SCRATCH_DIR";

/// The variable's text, empty where it is not set.
[[nodiscard]] VMDSL_DECL std::string environment_text(const char* name);

/// A whole number of seconds; throws `usage_error` that names `what` where the text is none.
[[nodiscard]] VMDSL_DECL std::chrono::seconds parse_seconds(std::string_view what, std::string_view text);

/// Passes "auto", "kvm" and "tcg" through, throws `usage_error` that names `what` for anything else.
[[nodiscard]] VMDSL_DECL std::string parse_acceleration(std::string_view what, std::string_view text);

/// Twelve random letters and digits: unique among the runs of a host, and not to be guessed by other users.
[[nodiscard]] VMDSL_DECL std::string make_run_id();

/// Where scratch folders are made: $VMDSL_SCRATCH_DIR, else $TMPDIR, else /tmp. Absolute.
[[nodiscard]] VMDSL_DECL std::filesystem::path scratch_base();

/// What the name of each of this user's scratch folders starts with; the run's id follows.
[[nodiscard]] VMDSL_DECL std::string scratch_prefix();

/// Makes the folder with mode 0700 (or takes over one of our own) and returns a descriptor that holds a shared lock on
/// it, which says that the folder is in use. Throws `could_not_run`.
[[nodiscard]] VMDSL_DECL int make_locked_folder(const std::filesystem::path& folder);

/// Whether the descriptor is still the folder of that name: it may have been removed while its lock was waited for.
[[nodiscard]] VMDSL_DECL bool is_still_at(int fd, const std::filesystem::path& folder) noexcept;

/// Removes the folder and everything in it, folders without permissions included; never follows a symbolic link.
/// Returns false where something stays.
VMDSL_DECL bool remove_tree(const std::filesystem::path& folder) noexcept;

/// The scratch folder of a process that no supervisor started, removed by the destructor; not by that of a copy in a
/// forked child.
class private_scratch {
public:
    VMDSL_DECL private_scratch();
    VMDSL_DECL ~private_scratch();
    private_scratch(const private_scratch&) = delete;
    private_scratch& operator=(const private_scratch&) = delete;

    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

private:
    std::filesystem::path folder_;
    pid_t owner_;
    int lock_ = -1;
};

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/run_options.ipp>
#endif
