// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/types.h>

#include <vmdsl/core/config.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl::detail {

/// What a message between a person's program and a running network is. One connection is one question.
enum class control_kind : std::uint8_t {
    about = 'a',      ///< Who is there? Answered by one output, "PROGRAM\nPID", and done.
    request = 'r',    ///< "ROWS COLUMNS TERM\nLINE", or "\nLINE" of somebody without a terminal.
    complete = 'c',   ///< A line's beginning. Answered by one output, a candidate for its last word per line, and done.
    input = 'i',      ///< Bytes for the standard input of what the request runs.
    input_end = 'e',  ///< There are no more.
    resize = 's',     ///< "ROWS COLUMNS": the person's terminal has another size.

    output = 'o',    ///< Bytes for the person's standard output.
    errors = 'x',    ///< Bytes for the person's standard error.
    terminal = 't',  ///< From here on the guest's terminal answers: keys are to be sent as they are typed.
    done = 'd',      ///< The last message: an exit code, as text.
};

struct control_message {
    control_kind kind{};
    std::string text;
};

/// One connection, from either side. Both sides are programs of the same user.
class control_channel {
public:
    explicit control_channel(unique_fd socket) : socket_(std::move(socket)) {}

    [[nodiscard]] int descriptor() const noexcept { return socket_.get(); }

    /// Waits until the other side has taken it. False where that side is gone. Several threads may send.
    VMDSL_DECL bool send(control_kind kind, std::string_view text = {});
    /// Keeps a message for `send_queued`: for who may not wait, since the other side may wait for him to `receive`.
    /// For one thread, as the next two are.
    VMDSL_DECL void queue(control_kind kind, std::string_view text = {});
    [[nodiscard]] bool has_queued() const noexcept { return !queued_.empty(); }
    /// In bytes.
    [[nodiscard]] std::size_t queued_size() const noexcept { return queued_.size(); }
    /// Sends what the other side takes at once. Where that side is gone nothing stays queued, and `receive` tells.
    VMDSL_DECL void send_queued();
    /// Waits for the next message. Empty where the other side is gone, or sent what is no message.
    [[nodiscard]] VMDSL_DECL std::optional<control_message> receive();
    /// Whether the other side has left. What it sent before may still be there to `receive`.
    [[nodiscard]] VMDSL_DECL bool other_side_is_gone() const noexcept;
    /// Makes a `receive` that another thread waits in return, and all later ones.
    VMDSL_DECL void stop_receiving() noexcept;

private:
    unique_fd socket_;
    std::mutex sending_;
    std::string queued_;
};

/// A network that runs, and where it can be asked.
struct running_network {
    std::string id;                ///< The run's.
    std::filesystem::path folder;  ///< Holds the socket.
    std::string program;           ///< The file name of the spec's executable.
    pid_t pid = -1;
};

/// Listens in a folder of the run's scratch folder, with a socket that is for this user only. It goes with the folder.
/// Throws `could_not_run`.
[[nodiscard]] VMDSL_DECL unique_fd listen_for_control(const std::filesystem::path& folder);

/// Accepts the next connection of this user; other users' are closed. While there are no descriptors left it waits for
/// some. Throws `could_not_run` where the listener is none.
[[nodiscard]] VMDSL_DECL unique_fd accept_control(const unique_fd& listener);

/// Throws `could_not_run` where nobody listens in that folder, or where it is not this user's.
[[nodiscard]] VMDSL_DECL unique_fd connect_to_control(const std::filesystem::path& folder);

/// This user's networks that wait for a person, below $VMDSL_SCRATCH_DIR, $TMPDIR and /tmp. In the order of their ids.
/// One that does not answer within two seconds (its process was stopped) is left out.
[[nodiscard]] VMDSL_DECL std::vector<running_network> find_running_networks();

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/process/impl/control_channel.ipp>
#endif
