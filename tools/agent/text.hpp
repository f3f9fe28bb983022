// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace vmdsl::agent {

/// Ends the process when memory has run out: the agent has no better answer, and init makes it visible.
[[noreturn]] void out_of_memory() noexcept;

/// A growing string. std::string would bring libstdc++'s exceptions and locales into a binary that boots every guest.
class text {
public:
    text() noexcept = default;
    explicit text(std::string_view from) { append(from); }
    text(text&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    text& operator=(text&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    ~text() { std::free(data_); }

    text& append(std::string_view more);
    /// Always ends in a zero byte.
    [[nodiscard]] const char* c_str() const noexcept { return data_ != nullptr ? data_ : ""; }
    [[nodiscard]] std::string_view view() const noexcept { return {c_str(), size_}; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    void clear() noexcept { size_ = 0; }
    operator std::string_view() const noexcept { return view(); }  // NOLINT: a text is text

private:
    char* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// All parts, one after the other.
[[nodiscard]] text join(std::initializer_list<std::string_view> parts);

/// A number's decimal digits, on the stack.
class digits {
public:
    template <class Integer>
    explicit digits(Integer value, int base = 10) noexcept
        : end_(std::to_chars(buffer_, buffer_ + sizeof buffer_, value, base).ptr) {}
    operator std::string_view() const noexcept {  // NOLINT: used as text only
        return {buffer_, static_cast<std::size_t>(end_ - buffer_)};
    }

private:
    char buffer_[65];
    char* end_;
};

/// Cuts the first word (up to one of `separators`) off the front of `rest`; empty at the end. Skips leading separators.
[[nodiscard]] std::string_view take_word(std::string_view& rest, std::string_view separators = " \t\n");

/// The whole text as a number of this type. False where it is none or too large.
template <class Integer>
[[nodiscard]] bool parse_number(std::string_view from, Integer& to, int base = 10) noexcept {
    const auto [end, error] = std::from_chars(from.data(), from.data() + from.size(), to, base);
    return error == std::errc{} && end == from.data() + from.size() && !from.empty();
}

/// Whether it holds a zero byte, and so can't be a path or an argument.
[[nodiscard]] inline bool has_zero_byte(std::string_view value) noexcept {
    return !value.empty() && std::memchr(value.data(), 0, value.size()) != nullptr;
}

/// errno's text.
[[nodiscard]] std::string_view error_text(int error) noexcept;

}  // namespace vmdsl::agent
