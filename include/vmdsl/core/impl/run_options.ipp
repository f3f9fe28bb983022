// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>

namespace vmdsl {

namespace detail {

VMDSL_DECL std::string environment_text(const char* name) {
    const char* text = ::getenv(name);
    return text == nullptr ? std::string() : std::string(text);
}

VMDSL_DECL std::chrono::seconds parse_seconds(std::string_view what, std::string_view text) {
    std::uint32_t value = 0;
    const auto* const end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, value);
    if (result.ec != std::errc{} || result.ptr != end) {
        throw usage_error(std::string(what) + " takes a whole number of seconds, not \"" + std::string(text) + "\"");
    }
    return std::chrono::seconds(value);
}

VMDSL_DECL std::string parse_acceleration(std::string_view what, std::string_view text) {
    if (text != "auto" && text != "kvm" && text != "tcg") {
        throw usage_error(std::string(what) + " takes auto, kvm or tcg, not \"" + std::string(text) + "\"");
    }
    return std::string(text);
}

VMDSL_DECL std::string make_run_id() {
    constexpr std::string_view characters = "abcdefghijklmnopqrstuvwxyz012345";
    std::array<unsigned char, 12> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
        throw could_not_run(std::string("can't get random bytes: ") + std::strerror(errno));
    }
    std::string id;
    for (const auto byte : bytes) {
        id += characters[byte % characters.size()];
    }
    return id;
}

VMDSL_DECL std::filesystem::path scratch_base() {
    for (const char* name : {scratch_base_variable, "TMPDIR"}) {
        if (const auto text = environment_text(name); !text.empty()) {
            return std::filesystem::absolute(text).lexically_normal();
        }
    }
    return "/tmp";
}

VMDSL_DECL std::string scratch_prefix() {
    return "vmdsl-" + std::to_string(::geteuid()) + '-';
}

inline bool make_own_folder(const std::filesystem::path& folder) noexcept {
    if (::mkdir(folder.c_str(), 0700) == 0) {
        return true;
    }
    struct stat found {};
    if (errno != EEXIST || ::lstat(folder.c_str(), &found) != 0) {
        return false;
    }
    const bool ours = S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() && (found.st_mode & 0077U) == 0;
    errno = ours ? 0 : EEXIST;
    return ours;
}

VMDSL_DECL bool is_still_at(int fd, const std::filesystem::path& folder) noexcept {
    struct stat locked {};
    struct stat named {};
    return ::fstat(fd, &locked) == 0 && ::lstat(folder.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
           locked.st_dev == named.st_dev;
}

VMDSL_DECL int make_locked_folder(const std::filesystem::path& folder) {
    const auto fail = [&](int fd) {
        const std::string reason = std::strerror(errno);
        if (fd >= 0) {
            ::close(fd);
        }
        throw could_not_run("can't make the scratch folder " + folder.string() + ": " + reason,
                            std::string("name a folder to make it in with ") + scratch_base_variable);
    };
    for (;;) {
        if (!make_own_folder(folder)) {
            fail(-1);
        }
        const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT) {
            continue;
        }
        if (fd < 0 || ::flock(fd, LOCK_SH) != 0) {
            fail(fd);
        }
        if (is_still_at(fd, folder)) {
            return fd;
        }
        ::close(fd);  // another run took the new folder for an abandoned one and removed it before we had the lock
    }
}

inline void make_folders_accessible(const std::filesystem::path& folder) {
    std::error_code ignored;
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, std::filesystem::perm_options::add,
                                 ignored);
    for (std::filesystem::directory_iterator entry(folder, ignored), end; entry != end; entry.increment(ignored)) {
        if (entry->symlink_status(ignored).type() == std::filesystem::file_type::directory) {
            make_folders_accessible(entry->path());
        }
    }
}

VMDSL_DECL bool remove_tree(const std::filesystem::path& folder) noexcept {
    try {
        std::error_code ec;
        // A process that was killed a moment ago may still have put a file into a folder that was just emptied.
        for (int attempt = 0; attempt < 3; ++attempt) {
            std::filesystem::remove_all(folder, ec);
            if (!ec) {
                return true;
            }
            make_folders_accessible(folder);
        }
    } catch (...) {
        return false;  // out of memory
    }
    return false;
}

VMDSL_DECL private_scratch::private_scratch()
    : folder_(scratch_base() / (scratch_prefix() + make_run_id())), owner_(::getpid()) {
    lock_ = make_locked_folder(folder_);
}

VMDSL_DECL private_scratch::~private_scratch() {
    if (::getpid() == owner_) {
        remove_tree(folder_);
    }
    ::close(lock_);
}

inline run_options read_run_options() {
    run_options options;
    if (const auto text = environment_text(acceleration_variable); !text.empty()) {
        options.acceleration = parse_acceleration(acceleration_variable, text);
    }
    if (const auto text = environment_text(run_case_timeout_variable); !text.empty()) {
        options.case_timeout = parse_seconds(run_case_timeout_variable, text);
    }
    options.interactive = !environment_text(run_interactive_variable).empty();
    options.holds = !environment_text(run_holds_variable).empty();
    options.verbose = !environment_text(run_verbose_variable).empty();
    options.scratch_directory = environment_text(run_scratch_variable);
    options.output_directory = environment_text(run_output_variable);
    if (!options.scratch_directory.empty() && !options.output_directory.empty()) {
        return options;
    }
    static const private_scratch scratch;
    options.scratch_directory = scratch.folder();
    options.output_directory = scratch.folder() / "output";
    std::filesystem::create_directory(options.output_directory);
    return options;
}

}  // namespace detail

VMDSL_DECL const run_options& current_run() {
    static const run_options options = detail::read_run_options();
    return options;
}

}  // namespace vmdsl
