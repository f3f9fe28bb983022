// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/host_tree.hpp>

namespace vmdsl {

namespace detail {

inline constexpr std::size_t tree_batch = 65536;

[[noreturn]] inline void throw_unreadable(const std::filesystem::path& path, int error_number) {
    throw usage_error("can't read " + path.string() + " of the host: " + std::strerror(error_number));
}

[[noreturn]] inline void throw_unwritable(const std::filesystem::path& path, int error_number) {
    const std::string what = "can't write " + path.string() + " on the host: " + std::strerror(error_number);
    if (error_number == ENOSPC || error_number == EDQUOT || error_number == EIO) {
        throw could_not_run(what);
    }
    throw usage_error(what);
}

inline std::string_view kind_of(std::uint32_t mode) {
    if (S_ISSOCK(mode)) {
        return "a socket";
    }
    if (S_ISFIFO(mode)) {
        return "a pipe";
    }
    return S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "of an unknown kind";
}

/// The components of a path from a guest. Throws where it could lead anywhere but down.
inline std::vector<std::string> components_of(const std::string& path) {
    std::vector<std::string> components;
    for (std::size_t from = 0; from <= path.size();) {
        const auto end = std::min(path.find('/', from), path.size());
        auto name = path.substr(from, end - from);
        if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string::npos) {
            throw guest_error("the guest sent a file whose name leads out of the folder: \"" + path + "\"");
        }
        components.push_back(std::move(name));
        from = end + 1;
    }
    return components;
}

/// Whether a link at `path` stays in the tree, whatever else there is: it may go up at its beginning only, since what
/// follows a name may be a link itself.
inline bool stays_inside(const std::string& path, const std::string& target) {
    if (target.empty() || target.front() == '/' || target.find('\0') != std::string::npos) {
        return false;
    }
    auto depth = std::count(path.begin(), path.end(), '/');
    bool named = false;
    for (std::size_t from = 0; from < target.size();) {
        const auto end = std::min(target.find('/', from), target.size());
        const auto name = std::string_view(target).substr(from, end - from);
        if (name == ".." && (named || depth-- == 0)) {
            return false;
        }
        named = named || (!name.empty() && name != "." && name != "..");
        from = end + 1;
    }
    return true;
}

/// Whether a path is that of something in a folder, at any depth. The tree's root has no path.
inline bool is_below(std::string_view path, std::string_view folder) {
    return folder.empty() || (path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/');
}

/// Of a folder that was opened as a place only (O_PATH), which needs no right to read it.
inline int change_mode(const unique_fd& folder, mode_t mode) {
    return ::chmod(("/proc/self/fd/" + std::to_string(folder.get())).c_str(), mode);
}

}  // namespace detail

VMDSL_DECL void tree_summary::leave_out(const std::string& path, std::string_view why) {
    if (left_out_count++ < max_named) {
        left_out.push_back((path.empty() ? "." : path) + " (" + std::string(why) + ")");
    }
}

VMDSL_DECL host_tree_reader::host_tree_reader(std::filesystem::path path) : root_(std::move(path)) {
    std::error_code ec;
    const auto real = std::filesystem::canonical(root_, ec);  // a link that the spec names is followed
    if (ec) {
        detail::throw_unreadable(root_, ec.value());
    }
    root_ = real;
    look_at(root_, {});
    if (found_.empty()) {
        throw usage_error("can't copy " + root_.string() + ": it is neither a file nor a folder");
    }
}

VMDSL_DECL void host_tree_reader::look_at(const std::filesystem::path& path, const std::string& relative) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        detail::throw_unreadable(path, errno);
    }
    found one{{relative, status.st_mode, {}},
              static_cast<std::uint64_t>(status.st_size),
              status.st_mtim.tv_sec * 1'000'000'000LL + status.st_mtim.tv_nsec};
    std::error_code ec;
    if (S_ISLNK(status.st_mode)) {
        one.entry.target = std::filesystem::read_symlink(path, ec).string();
    } else if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        summary_.leave_out(relative, detail::kind_of(status.st_mode));
        return;
    }
    found_.push_back(std::move(one));
    if (!S_ISDIR(status.st_mode)) {
        return;
    }
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator each(path, ec); !ec && each != std::filesystem::directory_iterator{};
         each.increment(ec)) {
        names.push_back(each->path().filename().string());
    }
    if (ec) {
        detail::throw_unreadable(path, ec.value());
    }
    std::sort(names.begin(), names.end());
    const auto prefix = relative.empty() ? std::string() : relative + "/";
    for (const auto& name : names) {
        look_at(path / name, prefix + name);
    }
}

VMDSL_DECL std::string host_tree_reader::next() {
    std::string bytes;
    while (bytes.size() < detail::tree_batch) {
        if (file_) {
            read_content(bytes);
            continue;
        }
        if (next_ == found_.size()) {
            break;
        }
        const auto& entry = found_[next_++].entry;
        if (S_ISREG(entry.mode)) {
            file_path_ = entry.path.empty() ? root_ : root_ / entry.path;
            file_ = unique_fd(::open(file_path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
            if (!file_) {
                detail::throw_unreadable(file_path_, errno);
            }
        }
        append_tree_entry(bytes, entry);
        ++summary_.entries;
    }
    return bytes;
}

VMDSL_DECL void host_tree_reader::read_content(std::string& to) {
    std::string piece(max_tree_piece, '\0');
    const auto got = ::read(file_.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) {
        return;
    }
    if (got < 0) {
        detail::throw_unreadable(file_path_, errno);
    }
    piece.resize(static_cast<std::size_t>(got));
    summary_.bytes += piece.size();
    append_tree_content(to, piece);
    if (piece.empty()) {
        file_.reset();
    }
}

VMDSL_DECL std::string host_tree_reader::fingerprint() const {
    std::string text;
    for (const auto& one : found_) {
        text += one.entry.path + '\0' + one.entry.target + '\0' + std::to_string(one.entry.mode);
        if (S_ISREG(one.entry.mode)) {
            text += " " + std::to_string(one.size) + " " + std::to_string(one.modified);
        }
        text += '\n';
    }
    return text;
}

VMDSL_DECL host_tree_writer::host_tree_writer(std::filesystem::path target)
    : target_(std::move(target)),
      decoder_({[this](const tree_entry& entry) { take_entry(entry); },
                [this](std::string_view bytes) { take_content(bytes); }, [this] { end_file(); }}) {
    if (!target_.has_filename()) {
        target_ = target_.parent_path();  // it was written with a slash at its end
    }
}

VMDSL_DECL host_tree_writer::~host_tree_writer() {
    if (!file_beside_.empty()) {
        ::unlinkat(file_place_.folder.get(), file_beside_.c_str(), 0);
    }
    while (!open_folders_.empty()) {  // the copy was cut off
        try {
            leave_folder();
        } catch (const error&) {
            continue;  // somebody else removed it meanwhile, say
        }
    }
}

VMDSL_DECL void host_tree_writer::take(std::string_view bytes) {
    decoder_.feed(bytes);
}

VMDSL_DECL void host_tree_writer::finish() {
    if (!begun_ || !decoder_.at_boundary()) {
        throw guest_error("the guest sent a tree that is cut off");
    }
    while (!open_folders_.empty()) {
        leave_folder();
    }
}

VMDSL_DECL host_tree_writer::place host_tree_writer::place_of(const std::string& path) {
    if (path.empty()) {
        const auto parent = target_.has_parent_path() ? target_.parent_path() : std::filesystem::path(".");
        place root{unique_fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)), target_.filename().string()};
        if (!root.folder) {
            detail::throw_unwritable(parent, errno);
        }
        return root;
    }
    auto names = detail::components_of(path);
    place at{unique_fd(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0)), std::move(names.back())};
    names.pop_back();
    for (const auto& name : names) {
        unique_fd next(::openat(at.folder.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!next) {
            detail::throw_unwritable(target_ / path, errno);
        }
        at.folder = std::move(next);
    }
    return at;
}

VMDSL_DECL void host_tree_writer::take_entry(const tree_entry& entry) {
    const bool root = entry.path.empty();
    if (root == begun_ || (!root && !root_) || (root && S_ISLNK(entry.mode))) {
        throw guest_error("the guest sent a tree whose entries make no sense");
    }
    if (entry.path.size() >= PATH_MAX) {
        throw guest_error("the guest sent a file whose path is longer than paths may be: \"" +
                          entry.path.substr(0, 100) + "...\"");
    }
    begun_ = true;
    while (!open_folders_.empty() && !detail::is_below(entry.path, open_folders_.back().first)) {
        leave_folder();
    }
    if (S_ISDIR(entry.mode)) {
        make_folder(entry);
    } else if (S_ISREG(entry.mode)) {
        begin_file(entry);
    } else if (S_ISLNK(entry.mode)) {
        make_link(entry);
    } else {
        summary_.leave_out(entry.path, detail::kind_of(entry.mode));
        return;
    }
    ++summary_.entries;
}

VMDSL_DECL void host_tree_writer::make_folder(const tree_entry& entry) {
    const auto at = place_of(entry.path);
    const bool made = ::mkdirat(at.folder.get(), at.name.c_str(), 0700) == 0;
    if (!made && errno != EEXIST) {
        detail::throw_unwritable(target_ / entry.path, errno);
    }
    // The target itself may be a link of the host's to a folder; nothing below it may.
    const int follow = entry.path.empty() ? 0 : O_NOFOLLOW;
    unique_fd folder(::openat(at.folder.get(), at.name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | follow));
    struct stat status {};
    if (!folder || ::fstat(folder.get(), &status) != 0) {
        detail::throw_unwritable(target_ / entry.path, errno);
    }
    // An earlier copy may have given it the guest's mode, with which nothing can be added.
    const bool locked = status.st_uid == ::geteuid() && (status.st_mode & S_IRWXU) != S_IRWXU;
    if (locked && detail::change_mode(folder, status.st_mode | S_IRWXU) != 0) {
        detail::throw_unwritable(target_ / entry.path, errno);
    }
    if (entry.path.empty()) {
        root_ = std::move(folder);
    }
    if (made || locked) {
        open_folders_.emplace_back(entry.path, made ? entry.mode & 0777 : status.st_mode & 07777);
    }
}

VMDSL_DECL void host_tree_writer::leave_folder() {
    const auto [path, mode] = std::move(open_folders_.back());
    open_folders_.pop_back();
    unique_fd folder;
    if (!path.empty()) {
        const auto at = place_of(path);
        folder = unique_fd(::openat(at.folder.get(), at.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!folder) {
            detail::throw_unwritable(target_ / path, errno);
        }
    }
    if (detail::change_mode(path.empty() ? root_ : folder, mode) != 0) {
        detail::throw_unwritable(target_ / path, errno);
    }
}

VMDSL_DECL void host_tree_writer::make_link(const tree_entry& entry) {
    if (!detail::stays_inside(entry.path, entry.target)) {
        summary_.leave_out(entry.path, "a link out of the folder, to " + entry.target);
        return;
    }
    const auto at = place_of(entry.path);
    if (::symlinkat(entry.target.c_str(), at.folder.get(), at.name.c_str()) == 0) {
        return;
    }
    if (errno != EEXIST || ::unlinkat(at.folder.get(), at.name.c_str(), 0) != 0 ||
        ::symlinkat(entry.target.c_str(), at.folder.get(), at.name.c_str()) != 0) {
        detail::throw_unwritable(target_ / entry.path, errno);
    }
}

VMDSL_DECL void host_tree_writer::begin_file(const tree_entry& entry) {
    static std::atomic<unsigned> counter{0};
    file_place_ = place_of(entry.path);
    file_mode_ = entry.mode;
    const auto beside = ".vmdsl-" + std::to_string(::getpid()) + "-" + std::to_string(++counter);
    file_ = unique_fd(
        ::openat(file_place_.folder.get(), beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file_) {
        detail::throw_unwritable(target_ / entry.path, errno);
    }
    file_beside_ = beside;
}

VMDSL_DECL void host_tree_writer::take_content(std::string_view bytes) {
    summary_.bytes += bytes.size();
    while (!bytes.empty()) {
        const auto written = ::write(file_.get(), bytes.data(), bytes.size());
        if (written > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(written));
        } else if (errno != EINTR) {
            detail::throw_unwritable(target_, errno);
        }
    }
}

VMDSL_DECL void host_tree_writer::end_file() {
    const int folder = file_place_.folder.get();
    if (::fchmod(file_.get(), file_mode_ & 0777) != 0 || ::close(file_.release()) != 0 ||
        ::renameat(folder, file_beside_.c_str(), folder, file_place_.name.c_str()) != 0) {
        detail::throw_unwritable(target_ / file_place_.name, errno);
    }
    file_beside_.clear();
}

}  // namespace vmdsl
