// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What a command in a guest did: the result of `guest::run`, `guest::execute` and `job::wait`.
///
///     auto result = client.execute("svn info {}", "http://webserver/repos/nowhere");
///     BOOST_TEST(result.exit_code() == 1, result);   // the message shows both streams' ends
///     BOOST_TEST(result.err().find("E170000") != std::string::npos);

#include <chrono>
#include <ostream>
#include <string>
#include <utility>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What a command in a guest did. A value: it stays true whatever happens to the machine.
class command_result {
public:
    command_result() = default;
    /// For tests of code that takes results; the arguments are what the functions of the same name return.
    command_result(std::string out, std::string err, int exit_code, int signal, std::chrono::nanoseconds duration,
                   bool lingering)
        : out_(std::move(out)),
          err_(std::move(err)),
          exit_code_(exit_code),
          signal_(signal),
          duration_(duration),
          lingering_(lingering) {}

    /// Its standard output, byte for byte (nothing is trimmed: `echo x` gives "x\n"). At most 256 MiB.
    [[nodiscard]] const std::string& out() const noexcept { return out_; }
    /// Its standard error, byte for byte. At most 256 MiB.
    [[nodiscard]] const std::string& err() const noexcept { return err_; }
    /// 0 to 255. Where a signal ended it, 128 plus the signal's number, as shells say it.
    [[nodiscard]] int exit_code() const noexcept { return signal_ != 0 ? 128 + signal_ : exit_code_; }
    /// The signal that ended it, 0 where it exited by itself.
    [[nodiscard]] int signal() const noexcept { return signal_; }
    /// How long it ran, measured in the guest.
    [[nodiscard]] std::chrono::nanoseconds duration() const noexcept { return duration_; }
    /// Whether processes that it left behind still held its output open when it ended. They live on, and what they
    /// print later is lost.
    [[nodiscard]] bool lingering() const noexcept { return lingering_; }

    /// Whether the exit code is 0.
    [[nodiscard]] bool succeeded() const noexcept { return exit_code() == 0; }
    /// Whether the exit code is another one, or a signal ended it.
    [[nodiscard]] bool failed() const noexcept { return !succeeded(); }

    /// "exited with code 1" or "was ended by signal 9 (Killed)".
    [[nodiscard]] VMDSL_DECL std::string describe() const;

    /// For assertions: the description and the ends of both streams, 500 bytes each.
    friend VMDSL_DECL std::ostream& operator<<(std::ostream& os, const command_result& result);

private:
    std::string out_;
    std::string err_;
    int exit_code_ = 0;
    int signal_ = 0;
    std::chrono::nanoseconds duration_{};
    bool lingering_ = false;
};

namespace detail {

/// The last bytes of a text, at most `limit`, from the beginning of a line where that is near.
[[nodiscard]] VMDSL_DECL std::string tail_of(const std::string& text, std::size_t limit = 4096);

}  // namespace detail

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/command.ipp>
#endif
