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
    : path_(std::move(path)), limit_(limit), fd_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
}

/// The file's own size counts: networks that run side by side write to the same one, and earlier ones have.
VMDSL_DECL std::uint64_t console_writer::size() const {
    struct stat file {};
    return ::fstat(fd_.get(), &file) == 0 ? static_cast<std::uint64_t>(file.st_size) : 0;
}

VMDSL_DECL std::uint64_t console_writer::begin_part(std::string_view title) {
    const auto before = size();
    char last = '\n';
    if (before > 0) {
        (void)::pread(fd_.get(), &last, 1, static_cast<off_t>(before - 1));
    }
    write((last == '\n' ? "--- " : "\n--- ") + std::string(title) + " ---\n");
    const auto begin = size();
    if (before >= limit_) {
        write(left_out());
    }
    return begin;
}

VMDSL_DECL void console_writer::append(std::string_view bytes) {
    const auto before = size();
    if (!fd_ || before >= limit_) {
        return;
    }
    write(bytes.substr(0, limit_ - before));
    if (before + bytes.size() >= limit_) {
        write("\n" + left_out());
    }
}

VMDSL_DECL std::string console_writer::left_out() const {
    return "--- vmdsl: the rest was left out, this file has reached its limit of " + std::to_string(limit_ >> 20) +
           " MiB ---\n";
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
