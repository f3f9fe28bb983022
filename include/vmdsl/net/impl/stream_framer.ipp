// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cassert>

#include <vmdsl/net/stream_framer.hpp>

namespace vmdsl {

VMDSL_DECL void stream_splitter::feed(std::span<const std::byte> bytes) noexcept {
    assert(rest_.empty());
    if (violation_ == framing_error::none) {
        rest_ = bytes;
    }
}

VMDSL_DECL std::optional<frame_view> stream_splitter::next() {
    if (partial_done_) {
        partial_.clear();
        partial_done_ = false;
    }
    if (!partial_.empty()) {
        return next_of_partial();
    }
    if (rest_.size() < stream_header_bytes) {
        keep(rest_.size());
        return std::nullopt;
    }
    const auto length = length_of(rest_);
    if (!length) {
        return std::nullopt;
    }
    if (rest_.size() - stream_header_bytes < *length) {
        keep(rest_.size());
        return std::nullopt;
    }
    const frame_view frame(rest_.subspan(stream_header_bytes, *length));
    rest_ = rest_.subspan(stream_header_bytes + *length);
    return frame;
}

VMDSL_DECL std::optional<frame_view> stream_splitter::next_of_partial() {
    if (partial_.size() < stream_header_bytes) {
        keep(stream_header_bytes - partial_.size());
        if (partial_.size() < stream_header_bytes) {
            return std::nullopt;
        }
    }
    const auto length = length_of(partial_);
    if (!length) {
        return std::nullopt;
    }
    keep(stream_header_bytes + *length - partial_.size());
    if (partial_.size() < stream_header_bytes + *length) {
        return std::nullopt;
    }
    partial_done_ = true;
    return frame_view(std::span(partial_).subspan(stream_header_bytes));
}

VMDSL_DECL std::optional<std::size_t> stream_splitter::length_of(std::span<const std::byte> header) noexcept {
    std::size_t length = 0;
    for (const std::byte b : header.first(stream_header_bytes)) {
        length = length << 8U | std::to_integer<std::size_t>(b);
    }
    if (is_frame_length(length)) {
        return length;
    }
    violation_ = length == 0 ? framing_error::zero_length : framing_error::oversized;
    rest_ = {};
    return std::nullopt;
}

VMDSL_DECL void stream_splitter::keep(std::size_t bytes) {
    const auto taken = rest_.first(std::min(bytes, rest_.size()));
    partial_.insert(partial_.end(), taken.begin(), taken.end());
    rest_ = rest_.subspan(taken.size());
}

}  // namespace vmdsl
