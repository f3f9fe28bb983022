// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <utility>

#include <vmdsl/core/attentive_wait.hpp>
#include <vmdsl/detail/machine_signs.hpp>

namespace vmdsl::detail {

VMDSL_DECL void machine_signs::begin() {
    const std::lock_guard lock(mutex_);
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
            text_size_ -= lines_.front().size();
            lines_.pop_front();
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

VMDSL_DECL std::optional<std::string> machine_signs::take_line(const text_pattern& pattern) {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        const auto end = pattern.end_in(lines_[i]);
        if (!end) {
            continue;
        }
        auto line = lines_[i];
        for (; i > 0; --i) {
            text_size_ -= lines_.front().size();
            lines_.pop_front();
        }
        // What follows in the line, a prompt's answer for example, belongs to the next wait.
        text_size_ -= *end;
        lines_.front().erase(0, *end);
        return line;
    }
    return std::nullopt;
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
    std::optional<std::string> found;
    const auto there = [&] { return (found = take_line(pattern)) || ended_; };
    if (attentive_wait(changed_, lock, until, there) && !found) {
        throw machine_died(*ended_);
    }
    return found;
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
