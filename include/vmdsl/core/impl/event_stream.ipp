// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/json_text.hpp>
#include <vmdsl/core/utf8.hpp>

namespace vmdsl {

namespace detail {

inline void append_event_value(std::string& out, const event::value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        append_json_string(out, *text);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        out += std::to_string(*integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
        append_json_number(out, *real);
    } else {
        out += std::get<bool>(value) ? "true" : "false";
    }
}

/// Reads the JSON that to_json_line writes: objects of strings, numbers, truth values and null, nothing nested deeper.
/// Every member returns whether the text was as expected; after a false the position means nothing.
class event_line_reader {
public:
    explicit event_line_reader(std::string_view text) noexcept : rest_(text) {}

    [[nodiscard]] bool read(event& out) {
        return read_object([&](const std::string& key) { return read_member(key, out); }) && at_end() &&
               seen_ == (seen_at | seen_event | seen_fields);
    }

private:
    enum seen_member : unsigned { seen_at = 1, seen_event = 2, seen_fields = 4 };

    template <class OnMember>
    bool read_object(const OnMember& on_member) {
        if (!take('{')) {
            return false;
        }
        if (take('}')) {
            return true;
        }
        do {
            std::string key;
            if (!read_string(key) || !take(':') || !on_member(key)) {
                return false;
            }
        } while (take(','));
        return take('}');
    }

    bool read_member(const std::string& key, event& out) {
        if (key == "at") {
            return first_time(seen_at) && read_time(out.at);
        }
        if (key == "event") {
            return first_time(seen_event) && read_kind(out.kind);
        }
        if (key == "fields") {
            return first_time(seen_fields) && read_object([&](const std::string& name) {
                       return read_value(out.fields.emplace_back(name, false).second);
                   });
        }
        return key == "machine" && out.machine.empty() && read_string(out.machine);
    }

    bool first_time(seen_member member) noexcept {
        const bool first = (seen_ & member) == 0;
        seen_ |= member;
        return first;
    }

    bool read_time(std::chrono::nanoseconds& out) {
        event::value value;
        if (!read_value(value) || !std::holds_alternative<std::int64_t>(value)) {
            return false;
        }
        out = std::chrono::nanoseconds(std::get<std::int64_t>(value));
        return true;
    }

    bool read_kind(event_kind& out) {
        std::string name;
        if (!read_string(name)) {
            return false;
        }
        for (std::size_t i = 0; i <= static_cast<std::size_t>(event_kind::run_end); ++i) {
            if (to_string(static_cast<event_kind>(i)) == name) {
                out = static_cast<event_kind>(i);
                return true;
            }
        }
        return false;
    }

    bool read_value(event::value& out) {
        skip_blanks();
        if (rest_.starts_with('"')) {
            return read_string(out.emplace<std::string>());
        }
        if (take_word("true")) {
            out = true;
            return true;
        }
        if (take_word("false")) {
            out = false;
            return true;
        }
        if (take_word("null")) {
            out = std::numeric_limits<double>::quiet_NaN();
            return true;
        }
        return read_number(out);
    }

    bool read_number(event::value& out) {
        const auto length = std::min(rest_.find_first_not_of("+-0123456789.eE"), rest_.size());
        const auto digits = rest_.substr(0, length);
        rest_.remove_prefix(length);
        const bool is_real = digits.find_first_of(".eE") != std::string_view::npos;
        return is_real ? convert(digits, out.emplace<double>()) : convert(digits, out.emplace<std::int64_t>());
    }

    template <class Number>
    static bool convert(std::string_view digits, Number& out) noexcept {
        const auto* const end = digits.data() + digits.size();
        const auto result = std::from_chars(digits.data(), end, out);
        return result.ec == std::errc{} && result.ptr == end;
    }

    bool read_string(std::string& out) {
        if (!take('"')) {
            return false;
        }
        while (!rest_.empty() && rest_[0] != '"') {
            const auto length = utf8_sequence_length(rest_);
            if (length == 0 || static_cast<unsigned char>(rest_[0]) < 0x20) {
                return false;
            }
            if (rest_[0] == '\\') {
                if (!read_escape(out)) {
                    return false;
                }
                continue;
            }
            out += rest_.substr(0, length);
            rest_.remove_prefix(length);
        }
        return take('"');
    }

    bool read_escape(std::string& out) {
        constexpr std::string_view names = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (rest_.size() < 2) {
            return false;
        }
        const char name = rest_[1];
        rest_.remove_prefix(2);
        if (name == 'u') {
            return read_code_point(out);
        }
        const auto index = names.find(name);
        if (index == std::string_view::npos) {
            return false;
        }
        out += meanings[index];
        return true;
    }

    bool read_code_point(std::string& out) {
        std::uint32_t code = 0;
        if (!read_four_digits(code) || (code >= 0xDC00 && code <= 0xDFFF)) {
            return false;
        }
        if (code >= 0xD800 && code <= 0xDBFF) {
            std::uint32_t low = 0;
            if (!rest_.starts_with("\\u")) {
                return false;
            }
            rest_.remove_prefix(2);
            if (!read_four_digits(low) || low < 0xDC00 || low > 0xDFFF) {
                return false;
            }
            code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
        }
        append_utf8(out, code);
        return true;
    }

    bool read_four_digits(std::uint32_t& code) noexcept {
        if (rest_.size() < 4) {
            return false;
        }
        const auto result = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
        const bool complete = result.ec == std::errc{} && result.ptr == rest_.data() + 4;
        rest_.remove_prefix(4);
        return complete;
    }

    static void append_utf8(std::string& out, std::uint32_t code) {
        if (code < 0x80) {
            out += static_cast<char>(code);
            return;
        }
        const int continuations = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
        constexpr std::uint32_t lead_marks[] = {0, 0xC0, 0xE0, 0xF0};
        out += static_cast<char>(lead_marks[continuations] | (code >> static_cast<unsigned>(6 * continuations)));
        for (int i = continuations - 1; i >= 0; --i) {
            out += static_cast<char>(0x80U | ((code >> static_cast<unsigned>(6 * i)) & 0x3FU));
        }
    }

    void skip_blanks() noexcept { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

    bool take(char expected) noexcept {
        skip_blanks();
        if (!rest_.starts_with(expected)) {
            return false;
        }
        rest_.remove_prefix(1);
        return true;
    }

    bool take_word(std::string_view word) noexcept {
        if (!rest_.starts_with(word)) {
            return false;
        }
        rest_.remove_prefix(word.size());
        return true;
    }

    bool at_end() noexcept {
        skip_blanks();
        return rest_.empty();
    }

    std::string_view rest_;
    unsigned seen_ = 0;
};

inline std::chrono::nanoseconds monotonic_now() noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Keeps a write to a broken pipe from ending the process, without touching its signal handlers: SIGPIPE is blocked
/// for this thread, and one that our own write raised is taken away before it is unblocked.
class sigpipe_blocker {
public:
    sigpipe_blocker() noexcept {
        sigset_t pending;
        ::sigemptyset(&pending);
        ::sigpending(&pending);
        was_pending_ = ::sigismember(&pending, SIGPIPE) == 1;
        ::sigemptyset(&sigpipe_);
        ::sigaddset(&sigpipe_, SIGPIPE);
        ::pthread_sigmask(SIG_BLOCK, &sigpipe_, &previous_);
    }
    ~sigpipe_blocker() {
        if (!was_pending_) {
            const timespec at_once{};
            while (::sigtimedwait(&sigpipe_, nullptr, &at_once) == -1 && errno == EINTR) {
            }
        }
        ::pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
    }
    sigpipe_blocker(const sigpipe_blocker&) = delete;
    sigpipe_blocker& operator=(const sigpipe_blocker&) = delete;

private:
    sigset_t sigpipe_;
    sigset_t previous_;
    bool was_pending_ = false;
};

inline bool wait_until_writable(int fd) noexcept {
    pollfd entry{fd, POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&entry, 1, -1);
    } while (ready == -1 && errno == EINTR);
    return ready == 1 && (entry.revents & POLLOUT) != 0;
}

/// Writes all of `text`; returns how much of it was written before an error that waiting does not cure.
inline std::size_t write_event_bytes(int fd, std::string_view text) noexcept {
    const sigpipe_blocker blocker;
    std::size_t done = 0;
    while (done < text.size()) {
        const auto written = ::write(fd, text.data() + done, text.size() - done);
        if (written > 0) {
            done += static_cast<std::size_t>(written);
            continue;
        }
        const bool may_go_on = written == -1 && (errno == EINTR || (errno == EAGAIN && wait_until_writable(fd)));
        if (!may_go_on) {
            break;
        }
    }
    return done;
}

/// The process' one way out for events.
class event_sink {
public:
    void set_descriptor(int fd) noexcept {
        const std::lock_guard lock(mutex_);
        fd_ = fd;
        inside_a_line_ = false;
    }

    void emit(event&& e) {
        const std::lock_guard lock(mutex_);
        if (fd_ < 0) {
            return;
        }
        e.at = monotonic_now();
        std::string text = inside_a_line_ ? "\n" : "";
        text += to_json_line(e);
        text += '\n';
        const auto written = write_event_bytes(fd_, text);
        if (written > 0) {
            inside_a_line_ = text[written - 1] != '\n';
        }
    }

private:
    std::mutex mutex_;
    int fd_ = -1;
    bool inside_a_line_ = false;
};

/// Never destroyed: threads that outlive main's statics may still emit.
inline event_sink& process_event_sink() {
    static auto& sink = *new event_sink;
    return sink;
}

}  // namespace detail

VMDSL_DECL std::string to_json_line(const event& e) {
    std::string out = "{\"at\":" + std::to_string(e.at.count()) + ",\"event\":";
    append_json_string(out, to_string(e.kind));
    if (!e.machine.empty()) {
        out += ",\"machine\":";
        append_json_string(out, e.machine);
    }
    out += ",\"fields\":{";
    for (bool first = true; const auto& [name, value] : e.fields) {
        out += std::exchange(first, false) ? "" : ",";
        append_json_string(out, name);
        out += ':';
        detail::append_event_value(out, value);
    }
    out += "}}";
    return out;
}

VMDSL_DECL std::optional<event> parse_json_line(std::string_view line) {
    event result;
    if (!detail::event_line_reader(line).read(result)) {
        return std::nullopt;
    }
    return result;
}

VMDSL_DECL void set_event_descriptor(int fd) noexcept {
    detail::process_event_sink().set_descriptor(fd);
}

VMDSL_DECL void emit(event_kind kind, std::string_view machine,
                     std::initializer_list<std::pair<std::string_view, event::value>> fields) noexcept {
    try {
        event e;
        e.kind = kind;
        e.machine = machine;
        e.fields.assign(fields.begin(), fields.end());
        detail::process_event_sink().emit(std::move(e));
    } catch (...) {
        // Out of memory: the event is lost, which is better than ending a test run over its log.
        return;
    }
}

}  // namespace vmdsl
