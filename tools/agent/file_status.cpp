// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <sys/stat.h>

#include <agent/file_status.hpp>
#include <agent/session.hpp>

namespace vmdsl::agent {

void file_status::open(std::span<const std::byte> payload) {
    text path;
    if (!owner().resolve_path(payload, path)) {
        fail(EINVAL, "a path is missing, or has a zero byte");
        return;
    }
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        fail(errno, path);
        return;
    }
    fields answer;
    answer.put64(wire::tag::size, static_cast<std::uint64_t>(status.st_size));
    answer.put32(wire::tag::mode, status.st_mode);
    finish(answer);
}

}  // namespace vmdsl::agent
