// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <filesystem>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

/// The folder for a run's results, locked for as long as the object lives: a second run that is given the same folder
/// gets "FOLDER.2", a third one "FOLDER.3".
class output_folder {
public:
    /// Makes the folder, with its parents, and locks it. Throws `could_not_run` where it can't be made or written.
    VMDSL_DECL explicit output_folder(const std::filesystem::path& wanted);

    /// Absolute.
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

    /// The folder that was asked for, absolute; another one than `path` where a run uses it.
    [[nodiscard]] const std::filesystem::path& wanted() const noexcept { return wanted_; }

private:
    VMDSL_DECL bool try_to_lock();

    std::filesystem::path wanted_;
    std::filesystem::path path_;
    unique_fd lock_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/output_folder.ipp>
#endif
