// SPDX-License-Identifier: BSL-1.0
#pragma once

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

VMDSL_DECL void write_content(const std::filesystem::path& file, std::string_view content, const std::string& hint) {
    std::ofstream out(file, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) {
        throw could_not_run("can't write " + file.string(), hint);
    }
}

}  // namespace vmdsl::detail
