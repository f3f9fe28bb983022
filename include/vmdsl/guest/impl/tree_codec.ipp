// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <span>
#include <utility>

#include <sys/stat.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/frame_codec.hpp>
#include <vmdsl/guest/tree_codec.hpp>
#include <vmdsl/guest/wire.hpp>

namespace vmdsl {

namespace detail {

inline constexpr std::size_t piece_length_size = 4;

inline std::uint32_t piece_length(std::string_view bytes) {
    return wire::get32(reinterpret_cast<const std::byte*>(bytes.data()));
}

}  // namespace detail

VMDSL_DECL void append_tree_content(std::string& to, std::string_view piece) {
    std::byte length[detail::piece_length_size];
    wire::put32(length, static_cast<std::uint32_t>(piece.size()));
    to.append(reinterpret_cast<const char*>(length), sizeof length);
    to += piece;
}

VMDSL_DECL void append_tree_entry(std::string& to, const tree_entry& entry) {
    payload_builder fields;
    fields.text(wire::tag::path, entry.path).u32(wire::tag::mode, entry.mode);
    if (!entry.target.empty()) {
        fields.text(wire::tag::target, entry.target);
    }
    append_tree_content(to, {reinterpret_cast<const char*>(fields.view().data()), fields.view().size()});
}

VMDSL_DECL void tree_decoder::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        // What is missing of the length, then what is missing of the piece.
        std::size_t wanted = detail::piece_length_size;
        if (pending_.size() >= wanted) {
            wanted += detail::piece_length(pending_);
        }
        const auto part = bytes.substr(0, wanted - pending_.size());
        pending_ += part;
        bytes.remove_prefix(part.size());
        if (pending_.size() < detail::piece_length_size) {
            return;
        }
        const auto length = detail::piece_length(pending_);
        if (length > max_tree_piece) {
            throw guest_error("its agent sent a tree with a piece of " + std::to_string(length) + " bytes");
        }
        if (pending_.size() == detail::piece_length_size + length) {
            const auto piece = std::exchange(pending_, {});
            take(std::string_view(piece).substr(detail::piece_length_size));
        }
    }
}

VMDSL_DECL void tree_decoder::take(std::string_view piece) {
    if (in_file_) {
        if (piece.empty()) {
            in_file_ = false;
            listener_.content_end();
        } else {
            listener_.content(piece);
        }
        return;
    }
    const auto fields = std::as_bytes(std::span{piece});
    tree_entry entry;
    entry.path = std::string(wire::find_field(fields, wire::tag::path).text());
    entry.mode = static_cast<std::uint32_t>(wire::find_field(fields, wire::tag::mode).number());
    entry.target = std::string(wire::find_field(fields, wire::tag::target).text());
    in_file_ = S_ISREG(entry.mode);
    listener_.entry(entry);
}

}  // namespace vmdsl
