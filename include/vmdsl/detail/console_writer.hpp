// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl::detail {

/// Keeps what a machine writes to its console in a file: that of all of a run's machines of that name, one after the
/// other. Bounded: a guest that prints for ever doesn't fill the disk.
class console_writer {
public:
    static constexpr std::uint64_t most_bytes = 64ULL << 20;

    /// Opens the file, or makes it. Where that can't be, there is none.
    VMDSL_DECL explicit console_writer(std::filesystem::path path, std::uint64_t limit = most_bytes);

    /// The machine starts: a line that says so, at the begin of a line. Returns where in the file its words will begin.
    VMDSL_DECL std::uint64_t begin_part(std::string_view title);

    /// Appends the bytes. Once the file has `limit` bytes, one last line says that the rest was left out. A full disk
    /// loses bytes silently: the tail in memory is what is left then.
    VMDSL_DECL void append(std::string_view bytes);

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    [[nodiscard]] VMDSL_DECL std::uint64_t size() const;
    [[nodiscard]] VMDSL_DECL std::string left_out() const;
    VMDSL_DECL void write(std::string_view bytes);

    std::filesystem::path path_;
    std::uint64_t limit_;
    unique_fd fd_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/console_writer.ipp>
#endif
