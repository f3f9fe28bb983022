// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <fts.h>

#include <agent/fd.hpp>
#include <agent/stream.hpp>

namespace vmdsl::agent {

/// Sends a file, or a folder with everything in it.
class tree_reader final : public stream {
public:
    using stream::stream;
    ~tree_reader() override;

    void open(std::span<const std::byte> payload) override;
    step_result step() override;

private:
    void next_piece();
    void take_entry(FTSENT& entry);
    void read_content();
    void put_entry(const FTSENT& entry, std::uint32_t mode, std::string_view target);
    void put_piece(std::string_view piece);

    text path_;
    FTS* tree_ = nullptr;
    unique_fd file_;  ///< Whose content is being sent.
    text file_path_;
    text pending_;
    std::size_t sent_ = 0;  ///< Of what is pending.
    bool complete_ = false;
};

}  // namespace vmdsl::agent
