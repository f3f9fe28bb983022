// SPDX-License-Identifier: BSL-1.0
#include <string.h>

#include <agent/text.hpp>

namespace vmdsl::agent {

text& text::append(std::string_view more) {
    const std::size_t wanted = size_ + more.size() + 1;
    if (wanted <= size_) {
        out_of_memory();
    }
    if (wanted > capacity_) {
        const std::size_t capacity = wanted > 2 * capacity_ ? wanted : 2 * capacity_;
        auto* grown = static_cast<char*>(std::realloc(data_, capacity));
        if (grown == nullptr) {
            out_of_memory();
        }
        data_ = grown;
        capacity_ = capacity;
    }
    if (!more.empty()) {
        std::memcpy(data_ + size_, more.data(), more.size());
    }
    size_ += more.size();
    data_[size_] = 0;
    return *this;
}

text join(std::initializer_list<std::string_view> parts) {
    text out;
    for (const auto part : parts) {
        out.append(part);
    }
    return out;
}

std::string_view take_word(std::string_view& rest, std::string_view separators) {
    while (!rest.empty() && separators.find(rest.front()) != std::string_view::npos) {
        rest.remove_prefix(1);
    }
    std::size_t length = 0;
    while (length < rest.size() && separators.find(rest[length]) == std::string_view::npos) {
        ++length;
    }
    const std::string_view word{rest.data(), length};
    rest.remove_prefix(length);
    return word;
}

std::string_view error_text(int error) noexcept {
    const char* text = strerrordesc_np(error);
    return text != nullptr ? text : "unknown error";
}

}  // namespace vmdsl::agent
