// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <utility>

namespace vmdsl::detail {

/// Gives a variable another value, and at its end the one that it had: for what holds for a part of the work.
template <class T, class Value = T>
class scoped_value {
public:
    scoped_value(T& variable, Value value) noexcept : variable_(variable), before_(variable) {
        variable_ = std::move(value);
    }
    ~scoped_value() { variable_ = std::move(before_); }
    scoped_value(const scoped_value&) = delete;
    scoped_value& operator=(const scoped_value&) = delete;

private:
    T& variable_;
    Value before_;
};

}  // namespace vmdsl::detail
