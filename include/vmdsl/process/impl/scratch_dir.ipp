// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/run_processes.hpp>
#include <vmdsl/process/scratch_dir.hpp>

namespace vmdsl {

namespace detail {

/// An exclusive lock on a folder of our own, empty where it is in use, someone else's, or gone.
inline unique_fd lock_abandoned_folder(const std::filesystem::path& folder) {
    unique_fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0 || found.st_uid != ::geteuid() ||
        ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !is_still_at(fd.get(), folder)) {
        return unique_fd();
    }
    return fd;
}

inline bool sweep_folder(const std::filesystem::path& folder, std::string_view run_id) {
    const auto lock = lock_abandoned_folder(folder);
    return lock && end_run_processes(run_id, end_of_run_limit) && remove_tree(folder);
}

}  // namespace detail

VMDSL_DECL scratch_dir::scratch_dir(const std::filesystem::path& base, const std::string& run_id, bool keep)
    : path_(base / ((keep ? "vmdsl-kept-" : detail::scratch_prefix()) + run_id)),
      lock_(detail::make_locked_folder(path_)),
      keep_(keep) {
}

VMDSL_DECL scratch_dir::~scratch_dir() {
    if (!keep_) {
        detail::remove_tree(path_);
    }
}

VMDSL_DECL std::size_t sweep_scratch(const std::filesystem::path& base, const std::function<bool()>& stop) noexcept {
    std::size_t removed = 0;
    try {
        const auto prefix = detail::scratch_prefix();
        std::error_code ec;
        for (std::filesystem::directory_iterator entry(base, ec), end; !ec && entry != end; entry.increment(ec)) {
            const auto name = entry->path().filename().string();
            if (stop()) {
                break;
            }
            if (name.starts_with(prefix) && name.size() > prefix.size() &&
                detail::sweep_folder(entry->path(), std::string_view(name).substr(prefix.size()))) {
                ++removed;
            }
        }
    } catch (...) {
        return removed;  // out of memory: a later run sweeps
    }
    return removed;
}

}  // namespace vmdsl
