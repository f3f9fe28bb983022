// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/session.hpp>
#include <agent/small_file.hpp>
#include <agent/tree_writer.hpp>

namespace vmdsl::agent {

namespace {

constexpr mode_t permission_bits = 07777;
constexpr std::size_t length_size = 4;

}  // namespace

tree_writer::~tree_writer() {
    if (!beside_.empty()) {
        ::unlink(beside_.c_str());
    }
}

void tree_writer::open(std::span<const std::byte> payload) {
    if (!owner().resolve_path(payload, root_)) {
        fail(EINVAL, "a path is missing, or has a zero byte");
        return;
    }
    opened({});
}

void tree_writer::on_data(std::span<const std::byte> bytes) {
    buffer_.append({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    auto left = std::as_bytes(std::span{buffer_.view()});
    while (left.size() >= length_size && !finished()) {
        const std::size_t length = wire::get32(left.data());
        if (length > wire::max_payload) {
            fail(EPROTO, "a piece of a tree is too long");
            return;
        }
        if (left.size() < length_size + length) {
            break;
        }
        take_piece(left.subspan(length_size, length));
        left = left.subspan(length_size + length);
    }
    if (finished()) {
        return;
    }
    buffer_ = text{std::string_view{reinterpret_cast<const char*>(left.data()), left.size()}};
    consumed(bytes.size());
}

void tree_writer::on_end() {
    if (file_ || !buffer_.empty()) {
        fail(EPROTO, "a tree ended in its middle");
        return;
    }
    finish({});
}

void tree_writer::take_piece(std::span<const std::byte> piece) {
    if (file_) {
        take_content(piece);
    } else {
        take_entry(piece);
    }
}

void tree_writer::take_entry(std::span<const std::byte> entry) {
    const auto path = wire::find_field(entry, wire::tag::path).text();
    const auto target = wire::find_field(entry, wire::tag::target).text();
    const auto mode = static_cast<mode_t>(wire::find_field(entry, wire::tag::mode).number());
    if (has_zero_byte(path) || has_zero_byte(target)) {
        fail(EINVAL, "a path in a tree has a zero byte");
        return;
    }
    path_ = path.empty() ? text{root_.view()} : join({root_, "/", path});
    if (S_ISDIR(mode)) {
        make_folder(mode & permission_bits);
    } else if (S_ISLNK(mode)) {
        make_link(target);
    } else if (S_ISREG(mode)) {
        begin_file(mode & permission_bits);
    } else {
        fail(EINVAL, path_);
    }
}

void tree_writer::make_folder(mode_t mode) {
    if (::mkdir(path_.c_str(), 0700) == 0) {
        if (::chmod(path_.c_str(), mode) != 0) {
            fail(errno, path_);
        }
        return;
    }
    const int error = errno;
    struct stat status {};
    const bool is_root = path_.view() == root_.view();  // which may be a link to a folder
    const int looked = is_root ? ::stat(path_.c_str(), &status) : ::lstat(path_.c_str(), &status);
    if (error != EEXIST || looked != 0) {
        fail(error, path_);
    } else if (!S_ISDIR(status.st_mode)) {
        fail(ENOTDIR, path_);
    }
}

void tree_writer::make_link(std::string_view target) {
    const text to{target};
    if (::symlink(to.c_str(), path_.c_str()) == 0) {
        return;
    }
    if (errno != EEXIST || ::unlink(path_.c_str()) != 0 || ::symlink(to.c_str(), path_.c_str()) != 0) {
        fail(errno, path_);
    }
}

void tree_writer::begin_file(mode_t mode) {
    struct stat status {};
    if (::lstat(path_.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode)) {
        fail(S_ISDIR(status.st_mode) ? EISDIR : EEXIST, path_);
        return;
    }
    beside_ = place_beside(path_, id());
    file_ = unique_fd{::open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file_) {
        const int error = errno;
        beside_.clear();
        fail(error, path_);
    } else if (::fchmod(file_.get(), mode) != 0) {
        fail(errno, path_);
    }
}

void tree_writer::take_content(std::span<const std::byte> content) {
    if (content.empty()) {
        end_file();
        return;
    }
    const int error = write_all(file_.get(), {reinterpret_cast<const char*>(content.data()), content.size()});
    if (error != 0) {
        fail(error, path_);
    }
}

void tree_writer::end_file() {
    // close(2) is where some file systems tell that there was no space.
    if (::close(file_.release()) != 0 || ::rename(beside_.c_str(), path_.c_str()) != 0) {
        fail(errno, path_);
        return;
    }
    beside_.clear();
}

}  // namespace vmdsl::agent
