// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <agent/fd.hpp>
#include <agent/stream.hpp>

namespace vmdsl::agent {

/// Makes a file, or a folder with everything in it. Files that are there are replaced, folders are added to.
class tree_writer final : public stream {
public:
    using stream::stream;
    ~tree_writer() override;

    void open(std::span<const std::byte> payload) override;
    void on_data(std::span<const std::byte> bytes) override;
    void on_end() override;

private:
    void take_piece(std::span<const std::byte> piece);
    void take_entry(std::span<const std::byte> entry);
    void take_content(std::span<const std::byte> content);
    void make_folder(mode_t mode);
    void make_link(std::string_view target);
    void begin_file(mode_t mode);
    void end_file();

    text root_;
    text buffer_;  ///< A piece that is not complete yet.
    text path_;    ///< Of the present entry.
    text beside_;  ///< Where the present file is written until all of it is there.
    unique_fd file_;
};

}  // namespace vmdsl::agent
