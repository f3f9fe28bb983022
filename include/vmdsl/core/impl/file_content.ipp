// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/file_content.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::string content_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        throw could_not_run("can't read " + file.string());
    }
    return {std::istreambuf_iterator<char>(in), {}};
}

VMDSL_DECL int try_to_write_content(const std::filesystem::path& file, std::string_view content) {
    errno = 0;
    std::ofstream out(file, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    out.close();  // may find that there is no room, too
    if (out) {
        return 0;
    }
    return errno != 0 ? errno : EIO;
}

VMDSL_DECL void write_content(const std::filesystem::path& file, std::string_view content, const std::string& hint) {
    if (const int reason = try_to_write_content(file, content); reason != 0) {
        throw could_not_run("can't write " + file.string() + ": " + std::strerror(reason), hint);
    }
}

}  // namespace vmdsl::detail
