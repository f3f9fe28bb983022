// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <span>

#include <agent/text.hpp>

namespace vmdsl::agent {

/// Bytes that wait for a slow reader. The credit that the host was given bounds them.
class byte_queue {
public:
    byte_queue() = default;
    byte_queue(const byte_queue&) = delete;
    byte_queue& operator=(const byte_queue&) = delete;
    ~byte_queue() { std::free(data_); }

    void append(std::span<const std::byte> bytes) {
        if (bytes.empty()) {
            return;
        }
        if (end_ + bytes.size() > capacity_) {
            make_room(bytes.size());
        }
        std::memcpy(data_ + end_, bytes.data(), bytes.size());
        end_ += bytes.size();
    }
    [[nodiscard]] std::span<const std::byte> view() const noexcept { return {data_ + begin_, end_ - begin_}; }
    [[nodiscard]] std::size_t size() const noexcept { return end_ - begin_; }
    [[nodiscard]] bool empty() const noexcept { return begin_ == end_; }
    void drop(std::size_t bytes) noexcept {
        begin_ += bytes;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }

private:
    void make_room(std::size_t more) {
        const std::size_t held = size();
        if (begin_ > 0) {
            std::memmove(data_, data_ + begin_, held);
            begin_ = 0;
            end_ = held;
        }
        if (held + more <= capacity_) {
            return;
        }
        capacity_ = 2 * (held + more);
        data_ = static_cast<std::byte*>(std::realloc(data_, capacity_));
        if (data_ == nullptr) {
            out_of_memory();
        }
    }

    std::byte* data_ = nullptr;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace vmdsl::agent
