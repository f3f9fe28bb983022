// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <utility>

#include <vmdsl/core/attentive_wait.hpp>
#include <vmdsl/detail/machine_signs.hpp>

namespace vmdsl::detail {

VMDSL_DECL void machine_signs::begin() {
    const std::lock_guard lock(mutex_);
    first_line_ += lines_.size();
    lines_.clear();
    line_open_ = false;
    text_size_ = 0;
    events_.clear();
    ended_.reset();
}

VMDSL_DECL void machine_signs::end(const error_details& why) {
    {
        const std::lock_guard lock(mutex_);
        if (!ended_) {
            ended_ = why;
        }
    }
    changed_.notify_all();
}

VMDSL_DECL void machine_signs::take_console(std::string_view bytes) {
    {
        const std::lock_guard lock(mutex_);
        for (const char c : bytes) {
            if (c == '\r') {
                continue;
            }
            if (c == '\n') {
                if (!std::exchange(line_open_, false)) {
                    lines_.emplace_back();
                }
                continue;
            }
            if (!line_open_ || lines_.back().size() == max_line) {
                lines_.emplace_back();
                line_open_ = true;
            }
            lines_.back() += c;
            ++text_size_;
        }
        while (text_size_ > max_text || lines_.size() > max_text) {
            drop_first_line();
        }
    }
    changed_.notify_all();
}

VMDSL_DECL void machine_signs::take_event(std::string_view name, std::string_view data) {
    {
        const std::lock_guard lock(mutex_);
        events_.push_back({std::string(name), std::string(data)});
        if (events_.size() > max_events) {
            events_.pop_front();
        }
    }
    changed_.notify_all();
}

VMDSL_DECL std::optional<std::size_t> machine_signs::find_line(const text_pattern& pattern,
                                                               std::uint64_t& number) const {
    for (number = std::max(number, first_line_); number < first_line_ + lines_.size(); ++number) {
        if (const auto end = pattern.end_in(lines_[number - first_line_])) {
            return end;
        }
    }
    number -= line_open_ ? 1 : 0;
    return std::nullopt;
}

VMDSL_DECL std::string machine_signs::take_of_first_line(std::size_t size) {
    auto text = lines_.front().substr(0, size);
    lines_.front().erase(0, size);
    text_size_ -= size;
    return text;
}

VMDSL_DECL void machine_signs::drop_first_line() {
    text_size_ -= lines_.front().size();
    lines_.pop_front();
    ++first_line_;
}

VMDSL_DECL std::optional<std::string> machine_signs::take_event_named(std::string_view name) {
    const auto found = std::find_if(events_.begin(), events_.end(), [&](const event& e) { return e.name == name; });
    if (found == events_.end()) {
        return std::nullopt;
    }
    auto data = std::move(found->data);
    events_.erase(found);
    return data;
}

VMDSL_DECL std::optional<std::string> machine_signs::await_line(const text_pattern& pattern, deadline until) {
    std::unique_lock lock(mutex_);
    std::uint64_t number = 0;
    std::optional<std::size_t> end;
    const auto there = [&] { return (end = find_line(pattern, number)) || ended_; };
    if (!attentive_wait(changed_, lock, until, there)) {
        return std::nullopt;
    }
    if (!end) {
        throw machine_died(*ended_);
    }
    while (first_line_ < number) {
        drop_first_line();
    }
    // What follows in the line, a prompt's answer for example, belongs to the next wait.
    auto line = take_of_first_line(*end);
    const auto complete = [&] { return first_line_ > number || lines_.size() > 1 || !line_open_ || ended_; };
    attentive_wait(changed_, lock, earlier_of(until, deadline::in(line_pause)), complete);
    if (first_line_ == number) {  // else somebody else has taken the rest
        line += lines_.front();
        take_of_first_line(std::max(pattern.end_in(line).value_or(0), *end) - *end);
    }
    return line;
}

VMDSL_DECL std::optional<std::string> machine_signs::await_event(std::string_view name, deadline until) {
    std::unique_lock lock(mutex_);
    std::optional<std::string> found;
    const auto there = [&] { return (found = take_event_named(name)) || ended_; };
    if (attentive_wait(changed_, lock, until, there) && !found) {
        throw machine_died(*ended_);
    }
    return found;
}

}  // namespace vmdsl::detail
