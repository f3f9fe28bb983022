// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

#include <vmdsl/net/egress_queue.hpp>

namespace vmdsl {

VMDSL_DECL bool egress_queue::push(frame_view frame) {
    const std::size_t added = stream_header_bytes + frame.size();
    if (!is_frame_length(frame.size()) || frames_ >= limits_.frames || pending().size() + added > limits_.bytes) {
        return false;
    }
    const auto length = static_cast<std::uint32_t>(frame.size());
    const std::array header{static_cast<std::byte>(length >> 24U), static_cast<std::byte>(length >> 16U),
                            static_cast<std::byte>(length >> 8U), static_cast<std::byte>(length)};
    bytes_.insert(bytes_.end(), header.begin(), header.end());
    bytes_.insert(bytes_.end(), frame.bytes().begin(), frame.bytes().end());
    if (frames_++ == 0) {
        front_left_ = added;
    }
    return true;
}

VMDSL_DECL void egress_queue::consumed(std::size_t count) noexcept {
    assert(count <= pending().size());
    while (count != 0) {
        const std::size_t step = std::min(count, front_left_);
        head_ += step;
        count -= step;
        front_left_ -= step;
        inside_frame_ = front_left_ != 0;
        if (!inside_frame_ && --frames_ != 0) {
            front_left_ = frame_bytes_at(head_);
        }
    }
    give_memory_back();
}

VMDSL_DECL void egress_queue::clear() noexcept {
    head_ = bytes_.size();
    front_left_ = frames_ = 0;
    inside_frame_ = false;
    give_memory_back();
}

VMDSL_DECL std::size_t egress_queue::frame_bytes_at(std::size_t offset) const noexcept {
    std::size_t length = 0;
    for (std::size_t i = 0; i != stream_header_bytes; ++i) {
        length = length << 8U | std::to_integer<std::size_t>(bytes_[offset + i]);
    }
    return stream_header_bytes + length;
}

VMDSL_DECL void egress_queue::give_memory_back() noexcept {
    constexpr std::size_t worth_keeping = std::size_t{1} << 20U;
    if (head_ == bytes_.size()) {
        bytes_.clear();
        head_ = 0;
        if (bytes_.capacity() > worth_keeping) {
            bytes_ = {};
        }
    } else if (head_ > bytes_.size() / 2) {
        // Moving no more than was written keeps the cost of a byte constant, however slowly the reader reads.
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
}

}  // namespace vmdsl
