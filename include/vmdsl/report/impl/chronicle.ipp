// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/chronicle.hpp>

namespace vmdsl::detail {

inline constexpr std::size_t longest_console = 8U << 10U;

/// The last bytes of a file; empty where it can't be read.
inline std::string end_of_file(const std::string& file, std::size_t limit) {
    std::string text;
    const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (const auto size = ::lseek(fd.get(), 0, SEEK_END); size > 0) {
        text.resize(std::min(limit, static_cast<std::size_t>(size)));
        const auto n = ::pread(fd.get(), text.data(), text.size(), size - static_cast<off_t>(text.size()));
        text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    }
    return text;
}

VMDSL_DECL chronicle::chronicle(const std::filesystem::path& folder, junit_header header, terminal_log log)
    : files_(folder, std::move(header)), log_(log) {
}

VMDSL_DECL std::optional<event> chronicle::take_line(std::string_view line) {
    auto e = parse_json_line(line);
    if (e) {
        files_.append_event(line);
        digest(*e);
    }
    return e;
}

VMDSL_DECL void chronicle::take(event e) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    e.at = std::chrono::duration_cast<std::chrono::nanoseconds>(now);
    files_.append_event(to_json_line(e));
    digest(e);
}

VMDSL_DECL void chronicle::digest(const event& e) {
    record_.apply(e);
    log_.show(e, record_);
    switch (e.kind) {
        case event_kind::run_begin:
            consoles_.clear();
            break;
        case event_kind::case_begin:
            case_began_ = std::chrono::steady_clock::now();
            break;
        case event_kind::case_end:
        case event_kind::case_skipped:
            files_.write_junit(record_);
            break;
        case event_kind::evidence:
            if (const auto file = e.text("console_file"); !file.empty()) {
                consoles_.insert_or_assign(e.machine, std::string(file));
            }
            break;
        default:
            break;
    }
}

VMDSL_DECL void chronicle::add_problem(problem_kind kind, const std::string& message) {
    const std::string name = record_.running() != nullptr ? record_.running()->name : "(worker)";
    take({{},
          event_kind::exception,
          {},
          {{"message", message},
           {"infrastructure", !is_verdict(kind)},
           {"cause", std::string(to_string(kind))},
           {"name", name}}});
}

VMDSL_DECL void chronicle::add_consoles() {
    const auto named = consoles_;  // taking an event may change them
    for (const auto& [machine, file] : named) {
        if (auto text = end_of_file(file, longest_console); !text.empty()) {
            take({{}, event_kind::evidence, machine, {{"console", std::move(text)}, {"console_file", file}}});
        }
    }
}

VMDSL_DECL void chronicle::end_running_case(problem_kind kind, const std::string& message) {
    const auto name = record_.running()->name;
    add_problem(kind, message);
    add_consoles();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - case_began_;
    take({{}, event_kind::case_end, {}, {{"name", name}, {"seconds", time.count()}, {"passed", false}}});
}

VMDSL_DECL void chronicle::skip_the_rest(const std::string& reason) {
    std::vector<std::string> names;
    for (const auto& one : record_.cases()) {
        if (!one.has_result()) {
            names.push_back(one.name);
        }
    }
    for (const auto& name : names) {
        take({{}, event_kind::case_skipped, {}, {{"name", name}, {"reason", reason}}});
    }
}

VMDSL_DECL void chronicle::warn(const std::string& text) {
    take({{}, event_kind::warning, {}, {{"text", text}}});
}

}  // namespace vmdsl::detail
