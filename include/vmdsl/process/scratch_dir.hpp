// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

/// A run's scratch folder: mode 0700, named after the run, removed with everything in it.
///
/// Whoever uses the folder holds a shared lock on it, so that `sweep_scratch` of a later run can tell an abandoned
/// folder (all of its users were killed) from one in use. The name of a folder that is kept has another prefix, which
/// no sweep looks at.
class scratch_dir {
public:
    /// Makes and locks the folder below `base`; takes over the folder of the same run where it exists already.
    /// Throws `could_not_run`.
    VMDSL_DECL scratch_dir(const std::filesystem::path& base, const std::string& run_id, bool keep = false);

    /// Removes the folder unless it is kept. What can't be removed stays, silently: the next sweep tries again.
    VMDSL_DECL ~scratch_dir();

    scratch_dir(const scratch_dir&) = delete;
    scratch_dir& operator=(const scratch_dir&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
    unique_fd lock_;
    bool keep_;
};

/// Ends the processes of this user's abandoned runs and removes their scratch folders below `base`; other users'
/// folders and those in use are left alone. Asks `stop` before each folder. Returns how many folders were removed.
/// Never throws; what can't be removed is left.
VMDSL_DECL std::size_t sweep_scratch(const std::filesystem::path& base, const std::function<bool()>& stop) noexcept;

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/process/impl/scratch_dir.ipp>
#endif
