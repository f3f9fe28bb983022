// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/file_writer.hpp>
#include <agent/session.hpp>
#include <agent/small_file.hpp>

namespace vmdsl::agent {

namespace {

constexpr mode_t default_mode = 0644;
constexpr mode_t permission_bits = 07777;

/// A symbolic link stays one: its target is replaced.
void follow_links(text& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISLNK(status.st_mode)) {
        return;
    }
    if (char* target = ::realpath(path.c_str(), nullptr); target != nullptr) {
        path = text{target};
        ::free(target);
    }
}

bool is_there_and_no_regular_file(const text& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode);
}

}  // namespace

file_writer::~file_writer() {
    if (!beside_.empty()) {
        ::unlink(beside_.c_str());
    }
}

/// 0, or errno.
int file_writer::open_beside(mode_t mode) {
    beside_ = place_beside(path_, id());
    file_ = unique_fd{::open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file_ || ::fchmod(file_.get(), mode) != 0) {
        const int error = errno;
        if (!file_) {
            beside_.clear();
        }
        return error;
    }
    return 0;
}

void file_writer::open(std::span<const std::byte> payload) {
    if (!owner().resolve_path(payload, path_)) {
        fail(EINVAL, "a path is missing, or has a zero byte");
        return;
    }
    follow_links(path_);
    const bool append = wire::has_field(payload, wire::tag::append);
    const bool mode_given = wire::has_field(payload, wire::tag::mode);
    const mode_t mode = mode_given
                            ? static_cast<mode_t>(wire::find_field(payload, wire::tag::mode).number()) & permission_bits
                            : default_mode;
    int error = append || is_there_and_no_regular_file(path_) ? ENOTSUP : open_beside(mode);
    if (error != 0 && (append || ::access(path_.c_str(), F_OK) == 0)) {
        const int flags = append ? O_APPEND | O_CREAT : O_TRUNC;
        file_ = unique_fd{::open(path_.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags, mode)};
        error = file_ ? 0 : errno;
        if (file_ && append && mode_given && ::fchmod(file_.get(), mode) != 0) {
            error = errno;
        }
    }
    if (error != 0) {
        fail(error, path_);
        return;
    }
    opened({});
}

void file_writer::on_data(std::span<const std::byte> bytes) {
    const int error = write_all(file_.get(), {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (error != 0) {
        fail(error, path_);
        return;
    }
    consumed(bytes.size());
}

void file_writer::on_end() {
    // close(2) is where some file systems tell that there was no space.
    if (::close(file_.release()) != 0) {
        fail(errno, path_);
        return;
    }
    if (!beside_.empty() && ::rename(beside_.c_str(), path_.c_str()) != 0) {
        fail(errno, path_);
        return;
    }
    beside_.clear();
    finish({});
}

}  // namespace vmdsl::agent
