// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/session.hpp>
#include <agent/tree_reader.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::size_t batch = 32768;  // so that small files share a frame

int by_name(const FTSENT** a, const FTSENT** b) {
    return ::strcmp((*a)->fts_name, (*b)->fts_name);
}

}  // namespace

tree_reader::~tree_reader() {
    if (tree_ != nullptr) {
        ::fts_close(tree_);
    }
}

void tree_reader::open(std::span<const std::byte> payload) {
    if (!owner().resolve_path(payload, path_)) {
        fail(EINVAL, "a path is missing, or has a zero byte");
        return;
    }
    struct stat status {};
    if (::stat(path_.c_str(), &status) != 0) {
        fail(errno, path_);
        return;
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
        fail(EINVAL, join({path_, " is neither a file nor a folder"}));
        return;
    }
    char* const roots[] = {const_cast<char*>(path_.c_str()), nullptr};
    // A link that the host names is followed; those in the tree are sent as links.
    tree_ = ::fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
    if (tree_ == nullptr) {
        fail(errno, path_);
        return;
    }
    opened({});
    need_step();
}

step_result tree_reader::step() {
    if (sent_ == pending_.size()) {
        pending_.clear();
        sent_ = 0;
    }
    while (!complete_ && !finished() && pending_.size() < batch) {
        next_piece();
    }
    if (finished()) {
        return step_result::idle;
    }
    const auto left = pending_.view().substr(sent_);
    if (left.empty()) {
        send_end(wire::channel::main);
        finish({});
        return step_result::idle;
    }
    const auto now = left.substr(0, credit(wire::channel::main));
    if (now.empty()) {
        return step_result::idle;
    }
    send_data(wire::channel::main, std::as_bytes(std::span{now}));
    sent_ += now.size();
    return step_result::busy;
}

void tree_reader::next_piece() {
    if (file_) {
        read_content();
        return;
    }
    errno = 0;
    FTSENT* const entry = ::fts_read(tree_);
    if (entry != nullptr) {
        take_entry(*entry);
    } else if (errno != 0) {
        fail(errno, path_);
    } else {
        complete_ = true;
    }
}

void tree_reader::take_entry(FTSENT& entry) {
    switch (entry.fts_info) {
        case FTS_DP:
            return;
        case FTS_DNR:
        case FTS_ERR:
        case FTS_NS:
            if (entry.fts_errno != ENOENT) {  // else it was removed meanwhile
                fail(entry.fts_errno, entry.fts_path);
            }
            return;
        case FTS_F: {
            file_ = unique_fd{::open(entry.fts_accpath, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
                                                            (entry.fts_level > 0 ? O_NOFOLLOW : 0))};
            if (file_) {
                file_path_ = text{entry.fts_path};
                put_entry(entry, entry.fts_statp->st_mode, {});
            } else if (errno != ENOENT) {
                fail(errno, entry.fts_path);
            }
            return;
        }
        case FTS_SL:
        case FTS_SLNONE: {
            char target[PATH_MAX];
            const ssize_t length = ::readlink(entry.fts_accpath, target, sizeof target);
            if (length >= 0) {
                put_entry(entry, entry.fts_statp->st_mode, {target, static_cast<std::size_t>(length)});
            }
            return;
        }
        default:
            put_entry(entry, entry.fts_statp->st_mode, {});
    }
}

void tree_reader::read_content() {
    static char bytes[batch / 2];
    const ssize_t got = ::read(file_.get(), bytes, sizeof bytes);
    if (got < 0) {
        if (errno != EINTR) {
            fail(errno, file_path_);
        }
        return;
    }
    put_piece({bytes, static_cast<std::size_t>(got)});
    if (got == 0) {
        file_.reset();
    }
}

void tree_reader::put_entry(const FTSENT& entry, std::uint32_t mode, std::string_view target) {
    std::string_view path{entry.fts_path, entry.fts_pathlen};
    path.remove_prefix(path_.size());
    while (path.starts_with('/')) {
        path.remove_prefix(1);
    }
    fields described;
    described.put(wire::tag::path, path);
    described.put32(wire::tag::mode, mode);
    if (!target.empty()) {
        described.put(wire::tag::target, target);
    }
    const auto bytes = described.view();
    put_piece({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

void tree_reader::put_piece(std::string_view piece) {
    std::byte length[4];
    wire::put32(length, static_cast<std::uint32_t>(piece.size()));
    pending_.append({reinterpret_cast<const char*>(length), sizeof length});
    pending_.append(piece);
}

}  // namespace vmdsl::agent
