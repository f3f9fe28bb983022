// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/chronicle.hpp>

namespace vmdsl::detail {

inline constexpr std::size_t longest_console = 8U << 10U;

/// The last bytes of what a file has from an offset on, whole lines where there are any; empty where the file can't be
/// read.
inline std::string end_of_file(const std::string& file, std::uint64_t offset, std::size_t limit) {
    const unique_fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    const auto size = static_cast<std::uint64_t>(std::max<off_t>(::lseek(fd.get(), 0, SEEK_END), 0));
    if (size <= offset) {
        return {};
    }
    std::string text(std::min<std::uint64_t>(limit, size - offset), '\0');
    const auto n = ::pread(fd.get(), text.data(), text.size(), static_cast<off_t>(size - text.size()));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (text.size() < size - offset) {
        const auto line_end = text.find('\n');
        text.erase(0, line_end + 1 < text.size() ? line_end + 1 : 0);
    }
    return text;
}

inline std::uint64_t size_of_file(const std::string& file) {
    std::error_code ec;
    const auto size = std::filesystem::file_size(file, ec);
    return ec ? 0 : size;
}

VMDSL_DECL chronicle::chronicle(const std::filesystem::path& folder, junit_header header, terminal_log log)
    : files_(folder, std::move(header)), log_(std::move(log)) {
    log_.refer_to(files_.junit_path().string());
}

VMDSL_DECL std::optional<event> chronicle::take_line(std::string_view line) {
    auto e = parse_json_line(line);
    if (e) {
        tell(*e, line);
    }
    return e;
}

VMDSL_DECL void chronicle::take(event e) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    e.at = std::chrono::duration_cast<std::chrono::nanoseconds>(now);
    tell(e, to_json_line(e));
}

VMDSL_DECL void chronicle::tell(const event& e, std::string_view line) {
    if (e.kind == event_kind::case_end && !e.flag("passed")) {
        add_consoles(e.at);
    }
    files_.append_event(line);
    record_.apply(e);
    log_.show(e, record_);
    switch (e.kind) {
        case event_kind::run_begin:
            consoles_.clear();
            break;
        case event_kind::case_begin:
            begin_case();
            changed_ = true;
            break;
        case event_kind::plan:
        case event_kind::case_end:
        case event_kind::case_skipped:
            changed_ = true;
            break;
        case event_kind::evidence:
            name_console(e);
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

VMDSL_DECL void chronicle::begin_case() {
    case_began_ = std::chrono::steady_clock::now();
    for (auto& one : consoles_) {
        one.offset = size_of_file(one.file);
        one.of_this_case = false;
    }
}

VMDSL_DECL void chronicle::name_console(const event& e) {
    const auto file = e.text("console_file");
    if (file.empty() || !e.text("console").empty()) {
        return;
    }
    const auto known =
        std::find_if(consoles_.begin(), consoles_.end(), [&](const auto& one) { return one.machine == e.machine; });
    auto& one = known == consoles_.end() ? consoles_.emplace_back() : *known;
    one = {e.machine, std::string(file), static_cast<std::uint64_t>(std::max(e.number("offset"), 0.0)),
           static_cast<std::int64_t>(e.number("position")), record_.running() != nullptr};
}

VMDSL_DECL void chronicle::add_consoles(std::chrono::nanoseconds at) {
    if (record_.running() == nullptr) {
        return;
    }
    const auto said = record_.running()->evidence;
    for (const auto& one : consoles_) {
        const bool known = std::any_of(said.begin(), said.end(), [&](const auto& evidence) {
            return evidence.machine == one.machine && !evidence.console.empty();
        });
        auto text = known ? std::string() : end_of_file(one.file, one.offset, longest_console);
        if (text.empty() && !known && one.of_this_case) {
            text = "(printed nothing in this case)";
        }
        if (!text.empty()) {
            const event found{at,
                              event_kind::evidence,
                              one.machine,
                              {{"console", std::move(text)}, {"console_file", one.file}, {"position", one.position}}};
            tell(found, to_json_line(found));
        }
    }
}

VMDSL_DECL void chronicle::end_running_case(problem_kind kind, const std::string& message) {
    const auto name = record_.running()->name;
    add_problem(kind, message);
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

VMDSL_DECL void chronicle::save() {
    if (std::exchange(changed_, false)) {
        files_.write_junit(record_, run_stage::under_way);
    }
}

VMDSL_DECL void chronicle::warn(const std::string& text) {
    take({{}, event_kind::warning, {}, {{"text", text}}});
}

}  // namespace vmdsl::detail
