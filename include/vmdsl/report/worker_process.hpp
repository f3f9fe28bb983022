// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/line_splitter.hpp>

namespace vmdsl::detail {

/// What a worker is started with.
struct worker_start {
    std::vector<std::string> boost_arguments;  ///< The program's name first.
    run_options options;                       ///< Of the run, and of this worker.
    std::string run_id;
    std::string finished_cases;  ///< A line each: "+name" where it passed, "-name" where not.
    bool uses_terminal = false;  ///< Reads from our terminal, and gets its signals.
};

/// A worker process, from the supervisor's side: its events, its end, and the way to bring that about.
class worker_process {
public:
    using on_line = std::function<void(std::string_view line)>;

    /// Starts it. Throws `could_not_run`. On the main thread only: the worker dies with the thread that started it.
    VMDSL_DECL explicit worker_process(const worker_start& start);

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

    /// What to poll for events; -1 once there will be no more.
    [[nodiscard]] int descriptor() const noexcept { return events_.get(); }

    /// Reads what is there, once; returns whether there may be more.
    VMDSL_DECL bool read_some(const on_line& take);

    /// Reads all that is there.
    void read_all(const on_line& take) {
        while (read_some(take)) {
        }
    }

    /// What waitpid said; empty before its end.
    [[nodiscard]] const std::optional<int>& status() const noexcept { return status_; }
    void has_ended(int status) noexcept { status_ = status; }

    /// Asks it to end: SIGTERM, and SIGKILL when it is asked again.
    VMDSL_DECL void end() noexcept;

    /// When it is time to ask again; empty where it has not been asked.
    [[nodiscard]] const std::optional<std::chrono::steady_clock::time_point>& patience_ends() const noexcept {
        return patience_ends_;
    }

private:
    pid_t pid_ = -1;
    unique_fd events_;
    line_splitter lines_;
    std::optional<int> status_;
    std::optional<std::chrono::steady_clock::time_point> patience_ends_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/worker_process.ipp>
#endif
