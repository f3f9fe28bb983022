// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/report/output_folder.hpp>

namespace vmdsl {

namespace detail {

[[noreturn]] inline void refuse_output_folder(const std::filesystem::path& folder, const std::string& reason) {
    throw could_not_run("can't write results to " + folder.string() + ": " + reason,
                        "name another folder with --output");
}

/// Consoles and coverage are added to, by one worker after the other; an earlier run's would be taken for this one's.
inline void remove_old_results(const std::filesystem::path& folder) {
    std::error_code ec;
    std::filesystem::remove_all(folder / "coverage", ec);
    for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
        const auto name = entry.path().filename().string();
        if (name.starts_with("console-") && name.ends_with(".log")) {
            std::filesystem::remove(entry.path(), ec);
        }
    }
}

}  // namespace detail

VMDSL_DECL output_folder::output_folder(const std::filesystem::path& wanted) {
    std::error_code ec;
    const auto first = std::filesystem::absolute(wanted, ec).lexically_normal();
    wanted_ = first.has_filename() ? first : first.parent_path();
    path_ = wanted_;
    constexpr int most = 1000;
    for (int number = 2; number <= most; ++number) {
        if (try_to_lock()) {
            detail::remove_old_results(path_);
            return;
        }
        path_ = wanted_.string() + "." + std::to_string(number);
    }
    detail::refuse_output_folder(wanted_, "that many runs use it already");
}

VMDSL_DECL bool output_folder::try_to_lock() {
    std::error_code ec;
    std::filesystem::create_directories(path_, ec);
    if (ec) {
        detail::refuse_output_folder(path_, ec.message());
    }
    lock_.reset(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!lock_ || ::faccessat(AT_FDCWD, path_.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
        detail::refuse_output_folder(path_, std::strerror(errno));
    }
    return ::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace vmdsl
