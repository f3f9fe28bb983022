// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl::detail {

/// SIGINT, SIGTERM, SIGHUP and SIGCHLD as something to poll for. They stay blocked after its end: only a process that
/// is about to end makes one. SIGPIPE is ignored from here on ("spec | head" must not end a run).
class signal_inbox {
public:
    /// Throws `could_not_run`.
    VMDSL_DECL signal_inbox();

    [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }

    /// The next signal's number, 0 where there is none.
    [[nodiscard]] VMDSL_DECL int next() const noexcept;

private:
    unique_fd fd_;
};

/// "SIGSEGV (Segmentation fault)".
[[nodiscard]] VMDSL_DECL std::string signal_name(int number);

/// What waitpid said about a process: "was ended by SIGSEGV (Segmentation fault)", "exited with code 1".
[[nodiscard]] VMDSL_DECL std::string describe_end(int status);

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/signal_inbox.ipp>
#endif
