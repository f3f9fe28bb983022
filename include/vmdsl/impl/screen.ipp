// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <utility>
#include <vector>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/json_text.hpp>
#include <vmdsl/detail/back_off.hpp>
#include <vmdsl/detail/screen.hpp>
#include <vmdsl/qemu/key_names.hpp>

namespace vmdsl::detail {

inline constexpr std::chrono::milliseconds key_hold_time{20};

/// The end of a wait for a sign: its text, or an error that says for what it was waited.
template <class Wait>
std::string await_sign(machine_runtime& machine, const std::string& what, deadline until, Wait wait) {
    const bool running = machine.running();
    try {
        // What a machine showed can be taken although it is dead or off. More does not come then.
        if (auto found = wait(running ? until : deadline::in(std::chrono::nanoseconds(0)))) {
            return *std::move(found);
        }
    } catch (const machine_died& death) {
        if (running) {
            auto d = death.details();
            d.what_failed += ", and " + what + " had not come until then";
            throw machine_died(std::move(d));
        }
    }
    (void)machine.agent();  // throws what has happened to it
    if (!running && machine.running()) {
        return await_sign(machine, what, until, wait);  // it was just being started
    }
    throw timed_out(machine.details(what + " did not come " + until.limit_text()));
}

VMDSL_DECL std::string await_console_text(machine_runtime& machine, const text_pattern& pattern, deadline until) {
    return await_sign(machine, "console text " + pattern.describe(), until,
                      [&](deadline at) { return machine.signs().await_line(pattern, at); });
}

VMDSL_DECL std::string await_qmp_event(machine_runtime& machine, std::string_view name, deadline until) {
    return await_sign(machine, "QEMU's event " + std::string(name), until,
                      [&](deadline at) { return machine.signs().await_event(name, at); });
}

VMDSL_DECL std::string tty_text(machine_runtime& machine, unsigned number, deadline until) {
    const auto path = "/dev/vcsa" + std::to_string(number);
    const scoped_stream stream(machine.agent()->read_file(path));
    const auto end = machine.await_end(*stream, "reading " + path, until);
    if (end.failed) {
        throw guest_error(machine.details("can't read terminal " + std::to_string(number) + ": " + end.error_text));
    }
    // Rows, columns and the cursor's place, one byte each; then a character and its colours per cell (vcs(4)).
    const auto cells = stream->take_collected(wire::channel::main);
    const std::size_t columns = cells.size() > 4 ? static_cast<unsigned char>(cells[1]) : 0;
    std::string text;
    for (std::size_t at = 4; columns > 0 && at + 2 * columns <= cells.size(); at += 2 * columns) {
        for (std::size_t column = 0; column < columns; ++column) {
            const char c = cells[at + 2 * column];
            text += c == '\0' ? ' ' : c >= ' ' && c <= '~' ? c : '?';
        }
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    }
    const auto last = text.find_last_not_of('\n');
    text.erase(last == std::string::npos ? 0 : last + 2);
    return text;
}

VMDSL_DECL std::string await_tty_text(machine_runtime& machine, unsigned number, const text_pattern& pattern,
                                      deadline until) {
    for (back_off pauses(std::chrono::milliseconds(50), std::chrono::milliseconds(500));;) {
        const auto text = tty_text(machine, number, until);
        for (std::size_t from = 0; from < text.size();) {
            const auto end = text.find('\n', from);
            if (pattern.end_in(std::string_view(text).substr(from, end - from))) {
                return text.substr(from, end - from);
            }
            from = end + 1;
        }
        if (!machine.pause_between_attempts(pauses.next(), until)) {
            auto d = machine.details("text " + pattern.describe() + " did not come on terminal " +
                                     std::to_string(number) + " " + until.limit_text());
            d.out_tail = text;
            throw timed_out(std::move(d));
        }
    }
}

VMDSL_DECL void take_screenshot(machine_runtime& machine, const std::filesystem::path& file, deadline until) {
    if (!machine.plan().display) {
        auto d = machine.details("has no screen to take a picture of");
        d.hint = "Give it the option display in the network.";
        throw usage_error(std::move(d));
    }
    (void)machine.qmp("screendump", "{\"filename\": " + json_string(file.string()) + ", \"format\": \"png\"}", until);
}

inline void send_keys(machine_runtime& machine, const std::vector<std::string>& keys, deadline until) {
    std::string list;
    for (const auto& key : keys) {
        list += (list.empty() ? "" : ", ") + std::string("{\"type\": \"qcode\", \"data\": ") + json_string(key) + "}";
    }
    (void)machine.qmp(
        "send-key", "{\"keys\": [" + list + "], \"hold-time\": " + std::to_string(key_hold_time.count()) + "}", until);
    // QEMU answers at once; the keyboard of a PC remembers few keys that were not fetched from it yet.
    if (!machine.pause_between_attempts(2 * key_hold_time, until)) {
        throw timed_out(machine.details("the keys could not be pressed " + until.limit_text()));
    }
}

VMDSL_DECL void press_keys(machine_runtime& machine, std::string_view chord, deadline until) {
    send_keys(machine, keys_of(chord), until);
}

VMDSL_DECL void type_text(machine_runtime& machine, std::string_view text, deadline until) {
    std::vector<std::vector<std::string>> strokes;
    for (const char c : text) {
        auto keys = keys_for(c);
        if (!keys) {
            std::string shown;
            append_json_string(shown, std::string_view(&c, 1));
            throw usage_error(machine.details("a US keyboard has no key for " + shown));
        }
        strokes.push_back(*std::move(keys));
    }
    for (const auto& keys : strokes) {
        send_keys(machine, keys, until);
    }
}

}  // namespace vmdsl::detail
