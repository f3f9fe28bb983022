// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/run_processes.hpp>
#include <vmdsl/report/boost_test.hpp>
#include <vmdsl/report/worker_process.hpp>

namespace vmdsl::detail {

/// How long a worker may take between SIGTERM and SIGKILL.
inline constexpr std::chrono::seconds patience_with_worker{2};
inline constexpr std::size_t longest_event_line = 64U << 20U;

/// A file without a name that the worker inherits.
inline unique_fd make_finished_list(const std::string& text) {
    unique_fd fd(::memfd_create("vmdsl-finished", MFD_CLOEXEC));
    if (!fd || ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        throw could_not_run(std::string("can't hand the list of cases to a worker: ") + std::strerror(errno));
    }
    return fd;
}

/// How the options get to `current_run` of the worker.
inline std::vector<std::string> worker_environment(const worker_start& start) {
    const auto& options = start.options;
    const auto entry = [](std::string_view name, const std::string& value) {
        return std::string(name).append("=").append(value);
    };
    const auto outer = environment_text(run_id_variable);
    const auto scratch = options.scratch_directory.string();
    return {
        entry(run_id_variable, outer.empty() ? start.run_id : outer + ":" + start.run_id),
        entry(run_output_variable, options.output_directory.string()),
        entry(run_scratch_variable, scratch),
        entry(run_case_timeout_variable, std::to_string(options.case_timeout.count())),
        entry(run_interactive_variable, options.interactive ? "1" : ""),
        entry(run_holds_variable, options.holds ? "1" : ""),
        entry(run_verbose_variable, options.verbose ? "1" : ""),
        entry(acceleration_variable, options.acceleration),
        // Whatever a spec's programs put into temporary files is removed with the rest.
        entry(scratch_base_variable, scratch),
        entry("TMPDIR", scratch),
    };
}

VMDSL_DECL worker_process::worker_process(const worker_start& start) : lines_(longest_event_line) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        throw could_not_run(std::string("can't make a pipe: ") + std::strerror(errno));
    }
    events_.reset(ends[0]);
    const unique_fd sending_end(ends[1]);
    ::fcntl(events_.get(), F_SETFL, O_NONBLOCK);
    const auto finished = make_finished_list(start.finished_cases);

    respawn_plan plan;
    plan.arguments = {start.boost_arguments.front(), std::string(worker_argument), std::to_string(sending_end.get()),
                      std::to_string(finished.get())};
    plan.arguments.insert(plan.arguments.end(), start.boost_arguments.begin() + 1, start.boost_arguments.end());
    plan.environment = environment_with(worker_environment(start));
    plan.inherited = {sending_end.get(), finished.get()};
    plan.own_group = !start.uses_terminal;
    plan.no_input = !start.uses_terminal;
    pid_ = respawn(plan);
}

VMDSL_DECL bool worker_process::read_some(const on_line& take) {
    std::array<char, 65536> buffer{};
    const auto n = events_ ? ::read(events_.get(), buffer.data(), buffer.size()) : -1;
    if (n > 0) {
        lines_.feed({buffer.data(), static_cast<std::size_t>(n)}, take);
        return true;
    }
    if (n == 0) {
        events_.reset();
    }
    return n < 0 && errno == EINTR;
}

VMDSL_DECL void worker_process::end() noexcept {
    if (!status_) {  // the number is its own until it has been reaped
        ::kill(pid_, patience_ends_ ? SIGKILL : SIGTERM);
        patience_ends_ = std::chrono::steady_clock::now() + patience_with_worker;
    }
}

}  // namespace vmdsl::detail
