// SPDX-License-Identifier: BSL-1.0
#include <cstddef>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/fd.hpp>
#include <agent/small_file.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::size_t largest_small_file = std::size_t{1024} * 1024;

}  // namespace

text read_small_file(const char* path) {
    text content;
    const unique_fd file{::open(path, O_RDONLY | O_CLOEXEC)};
    if (!file) {
        return content;
    }
    char buffer[4096];
    while (content.size() < largest_small_file) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got <= 0) {
            break;
        }
        content.append({buffer, static_cast<std::size_t>(got)});
    }
    std::string_view trimmed = content.view();
    while (!trimmed.empty() && trimmed.back() == '\n') {
        trimmed.remove_suffix(1);
    }
    return trimmed.size() == content.size() ? static_cast<text&&>(content) : text{trimmed};
}

text place_beside(std::string_view path, std::uint32_t stream) {
    return join({path.substr(0, path.rfind('/') + 1), ".vmdsl-", digits{stream}});
}

int write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t done = ::write(fd, content.data(), content.size());
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return errno;
        }
        content.remove_prefix(static_cast<std::size_t>(done));
    }
    return 0;
}

int write_kernel_file(const char* path, std::string_view content) {
    const unique_fd file{::open(path, O_WRONLY | O_CLOEXEC)};
    if (!file || ::write(file.get(), content.data(), content.size()) < 0) {
        return errno;
    }
    return 0;
}

int replace_file(const char* path, std::string_view content, mode_t mode) {
    const text beside = join({path, ".vmdsl-new"});
    unique_fd file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!file) {
        return errno;
    }
    int error = write_all(file.get(), content);
    if (error == 0 && (::fchmod(file.get(), mode) != 0 || ::rename(beside.c_str(), path) != 0)) {
        error = errno;
    }
    if (error != 0) {
        ::unlink(beside.c_str());
    }
    return error;
}

}  // namespace vmdsl::agent
