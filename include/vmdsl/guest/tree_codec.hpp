// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// One file, folder or link of a tree on its way between host and guest.
struct tree_entry {
    std::string path;        ///< Relative to the tree's root, which has an empty one.
    std::uint32_t mode = 0;  ///< Permissions and type bits (S_IFREG, ...).
    std::string target;      ///< Where a symbolic link leads.

    friend bool operator==(const tree_entry&, const tree_entry&) = default;
};

/// The longest piece of a file's content, in bytes.
inline constexpr std::size_t max_tree_piece = 65536;

/// Appends an entry's bytes. The content of a regular file follows.
VMDSL_DECL void append_tree_entry(std::string& to, const tree_entry& entry);
/// Appends a piece of a file's content, `max_tree_piece` bytes at most; an empty one is its end.
VMDSL_DECL void append_tree_content(std::string& to, std::string_view piece);

/// Takes a tree's bytes apart. Sans-I/O, bounded whatever the bytes are, not thread-safe.
class tree_decoder {
public:
    /// What the bytes bring, in their order.
    struct listener {
        std::function<void(const tree_entry&)> entry;
        std::function<void(std::string_view)> content;
        std::function<void()> content_end;
    };

    explicit tree_decoder(listener l) : listener_(std::move(l)) {}

    /// Takes bytes. Throws `guest_error` where they are no tree, and what the listener throws.
    VMDSL_DECL void feed(std::string_view bytes);

    /// Whether the tree could end here: no entry and no file is cut off.
    [[nodiscard]] bool at_boundary() const noexcept { return pending_.empty() && !in_file_; }

private:
    VMDSL_DECL void take(std::string_view piece);

    listener listener_;
    std::string pending_;
    bool in_file_ = false;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/tree_codec.ipp>
#endif
