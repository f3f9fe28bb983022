// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <fstream>
#include <iterator>
#include <system_error>

#include <vmdsl/core/file_content.hpp>
#include <vmdsl/coverage/files.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::string read_bytes(const std::filesystem::path& file, std::size_t limit) {
    std::ifstream in(file, std::ios::binary);
    std::string text;
    if (limit == std::string::npos) {
        text.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    } else {
        text.resize(limit);
        in.read(text.data(), static_cast<std::streamsize>(limit));
        text.resize(static_cast<std::size_t>(in.gcount()));
    }
    return text;
}

VMDSL_DECL void write_result_file(const std::filesystem::path& file, std::string_view content) {
    std::error_code ec;
    std::filesystem::create_directories(file.parent_path(), ec);
    write_content(file, content, "Free some space, or name another folder with --output.");
}

}  // namespace vmdsl::detail
