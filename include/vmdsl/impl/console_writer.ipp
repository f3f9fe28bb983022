// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vmdsl/detail/console_writer.hpp>

namespace vmdsl::detail {

VMDSL_DECL console_writer::console_writer(std::filesystem::path path, std::uint64_t limit)
    : path_(std::move(path)),
      limit_(limit),
      fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
}

VMDSL_DECL void console_writer::append(std::string_view bytes) {
    // The file's own size counts: networks that run side by side write to the same one, and earlier ones have.
    struct stat file {};
    if (!fd_ || ::fstat(fd_.get(), &file) != 0) {
        return;
    }
    const auto size = static_cast<std::uint64_t>(file.st_size);
    if (size >= limit_) {
        return;
    }
    const auto kept = bytes.substr(0, limit_ - size);
    write(kept);
    if (size + bytes.size() >= limit_) {
        write("\n--- vmdsl: the rest was left out, this file has reached its limit of " + std::to_string(limit_ >> 20) +
              " MiB ---\n");
    }
}

VMDSL_DECL void console_writer::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::write(fd_.get(), bytes.data(), bytes.size());
        if (n <= 0) {
            return;
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

}  // namespace vmdsl::detail
