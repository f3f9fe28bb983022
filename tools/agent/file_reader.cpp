// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/file_reader.hpp>
#include <agent/session.hpp>

namespace vmdsl::agent {

void file_reader::open(std::span<const std::byte> payload) {
    if (!owner().resolve_path(payload, path_)) {
        fail(EINVAL, "a path is missing, or has a zero byte");
        return;
    }
    // Non-blocking, since the wait for a pipe's other side would stop everybody.
    file_ = unique_fd{::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat status {};
    if (!file_ || ::fstat(file_.get(), &status) != 0) {
        fail(errno, path_);
        return;
    }
    if (S_ISDIR(status.st_mode) || S_ISFIFO(status.st_mode)) {
        fail(S_ISDIR(status.st_mode) ? EISDIR : EINVAL, path_);
        return;
    }
    fields answer;
    answer.put64(wire::tag::size, static_cast<std::uint64_t>(status.st_size));
    opened(answer);
    need_step();
}

step_result file_reader::step() {
    const std::size_t wanted = credit(wire::channel::main);
    if (wanted == 0) {
        return step_result::idle;
    }
    static std::byte bytes[wire::max_payload];
    const ssize_t got = ::read(file_.get(), bytes, wanted);
    if (got > 0) {
        send_data(wire::channel::main, {bytes, static_cast<std::size_t>(got)});
        return step_result::busy;
    }
    if (got < 0 && errno == EINTR) {
        return step_result::busy;
    }
    if (got < 0) {
        fail(errno, path_);
        return step_result::idle;
    }
    send_end(wire::channel::main);
    finish({});
    return step_result::idle;
}

}  // namespace vmdsl::agent
