// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/qemu/memory_file.hpp>

namespace vmdsl {

VMDSL_DECL unique_fd make_memory_file(const std::string& name, std::uint64_t bytes) {
    unique_fd file(::memfd_create(name.c_str(), MFD_CLOEXEC));
    if (!file || ::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0) {
        throw could_not_run("can't make a memory file of " + std::to_string(bytes >> 20) +
                            " MiB: " + std::strerror(errno));
    }
    return file;
}

VMDSL_DECL unique_fd reopen_memory_file(const unique_fd& file) {
    unique_fd again(::open(memory_file_path(file).c_str(), O_RDWR | O_CLOEXEC));
    if (!again) {
        throw could_not_run(std::string("can't open a memory file again: ") + std::strerror(errno));
    }
    return again;
}

VMDSL_DECL std::string memory_file_path(const unique_fd& file) {
    return "/proc/self/fd/" + std::to_string(file.get());
}

}  // namespace vmdsl
