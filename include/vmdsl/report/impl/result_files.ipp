// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cerrno>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/report/junit.hpp>
#include <vmdsl/report/result_files.hpp>

namespace vmdsl {

VMDSL_DECL result_files::result_files(const std::filesystem::path& folder, junit_header header)
    : folder_(folder), junit_(std::move(header)) {
    replace_file(junit_path(), junit_.render({}, run_stage::under_way));
    events_.reset(::open(events_path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666));
    if (!events_) {
        throw detail::can_not_write(events_path(), errno);
    }
}

VMDSL_DECL void result_files::append_event(std::string_view line) noexcept {
    try {
        const auto text = std::string(line) + '\n';
        errno = 0;
        const auto written = ::write(events_.get(), text.data(), text.size());
        if (written != static_cast<ssize_t>(text.size()) && failure_.empty()) {
            failure_ = detail::can_not_write(events_path(), errno != 0 ? errno : ENOSPC).what();
        }
    } catch (const std::exception&) {
        return;  // out of memory: the event is lost, the run goes on
    }
}

VMDSL_DECL void result_files::write_junit(const run_record& run, run_stage stage) noexcept {
    try {
        replace_file(junit_path(), junit_.render(run, stage));
    } catch (const std::exception& problem) {
        failure_ = failure_.empty() ? problem.what() : failure_;
    }
}

}  // namespace vmdsl
