// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What vmdsl throws. A test lets it go: the case has failed then, and its report has the error's text. Catch the class
/// of what a test provokes:
///
///     client.crash();
///     BOOST_CHECK_THROW(client.run("true"), usage_error);

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What an error knows. Our own words (`what_failed`, `hint`) are kept apart from the guest's, which are not trusted.
/// The tails of a command's streams are at most 4096 bytes each, those of a console 40 lines, or a panic's words.
struct error_details {
    std::string machine;       ///< Name of the machine, empty where no single machine is concerned.
    std::string what_failed;   ///< Our sentence: what was asked and how it ended.
    std::string hint;          ///< What to do about it, empty where nothing general can be said.
    std::string where;         ///< "file:line" of the call in the spec, empty where unknown.
    std::string command;       ///< The shell command, empty where none was involved.
    std::string out_tail;      ///< The last bytes of the command's standard output.
    std::string err_tail;      ///< The last bytes of the command's standard error.
    std::string console_tail;  ///< The last lines of the machine's console.
};

/// Base of everything vmdsl throws. `what()` holds all details as text, several lines long.
class error : public std::runtime_error {
public:
    /// With all that is known.
    explicit error(error_details details) : std::runtime_error(render(details)), details_(std::move(details)) {}
    /// With a sentence, and what to do about it.
    explicit error(std::string what_failed, std::string hint = {})
        : error(error_details{{}, std::move(what_failed), std::move(hint), {}, {}, {}, {}, {}}) {}

    /// What `what()` says, piece by piece. Valid as long as the error.
    [[nodiscard]] const error_details& details() const noexcept { return details_; }

    /// The text that `what()` returns for these details.
    [[nodiscard]] static VMDSL_DECL std::string render(const error_details& details);

private:
    error_details details_;
};

/// A command ended with another exit code than 0, or by a signal, where success was asked for.
class command_failed : public error {
    using error::error;
};

/// A deadline passed before what was waited for came true: a verb's own limit (5 min, or what `within` says), or the
/// case's (`--case-timeout`), whichever came first.
class timed_out : public error {
    using error::error;
};

/// A `polling_condition` did not hold.
class condition_failed : public error {
    using error::error;
};

/// The machine is gone: its kernel panicked, QEMU ended, its agent is lost, or the guest switched itself off while
/// something was asked of it. Ends every waiting call at once; the error has the console's last words.
class machine_died : public error {
    using error::error;
};

/// A verb reached the guest, which answered that it can't be done (no such file, connection refused, ...).
class guest_error : public error {
    using error::error;
};

/// The test could not run at all: no QEMU, no such image, no space. Exit code 69 (`EX_UNAVAILABLE` of sysexits.h), and
/// an `<error>` in JUnit, not a failure.
class could_not_run : public error {
    using error::error;
};

/// The spec asks for something that makes no sense, such as a command on a machine that is off: the case fails. Or the
/// command line does: exit code 64 (`EX_USAGE` of sysexits.h).
class usage_error : public error {
    using error::error;
};

/// Throws an error of the same type as `problem`, with these details.
[[noreturn]] VMDSL_DECL void throw_like(const error& problem, error_details details);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/error.ipp>
#endif
