// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include <vmdsl/guest/frame_codec.hpp>
#include <vmdsl/guest/wire.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace agent_test {

namespace wire = vmdsl::wire;
using bytes = std::vector<std::byte>;

/// A folder that goes with the object, open to every user.
class temporary_folder {
public:
    temporary_folder();
    ~temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

/// As whom the agent runs, and with which means.
enum class run_as : std::uint8_t {
    ourselves,
    ourselves_without_cgroups,
    ordinary_user,  ///< The same as ourselves where the tests are run by an ordinary user.
};
std::ostream& operator<<(std::ostream& out, run_as mode);

/// What came of a stream so far.
struct stream_state {
    bool opened = false;
    std::uint32_t pid = 0;
    std::uint64_t size = 0;
    std::string out;
    std::string err;
    bool out_ended = false;
    bool err_ended = false;
    std::uint64_t window = wire::initial_credit;  ///< What we may still send.
    bytes final_payload;
    std::optional<std::uint32_t> exit_code;
    std::optional<std::uint32_t> signal;
    std::optional<std::uint32_t> error_number;
    bool lingering = false;
    bool finished = false;
};

/// The agent as a child process, and its host: us. Every wait is bounded and fails the test at its end.
class agent_process {
public:
    explicit agent_process(run_as mode = run_as::ourselves);
    ~agent_process();
    agent_process(const agent_process&) = delete;
    agent_process& operator=(const agent_process&) = delete;

    void send(wire::frame_type type, std::uint32_t stream, const vmdsl::payload_builder& payload = {},
              wire::channel channel = wire::channel::main);
    /// Never waits: what the agent does not take yet goes out while something is waited for.
    void send_raw(std::span<const std::byte> what);
    /// Minds the credit, receiving meanwhile.
    void send_data(std::uint32_t stream, std::string_view what);
    void give_credit(std::uint32_t stream, std::uint64_t amount, wire::channel channel = wire::channel::main);

    /// Opens a stream under a new number.
    std::uint32_t open(wire::stream_kind kind, vmdsl::payload_builder payload);
    std::uint32_t open_command(std::string_view shell_text, bool no_input = true);

    /// Receives until the predicate holds.
    void wait_until(const std::function<bool()>& predicate, std::string_view what);
    stream_state& wait_for_end(std::uint32_t stream);
    stream_state& wait_for_opened(std::uint32_t stream);
    /// Runs a command to its end.
    stream_state& run(std::string_view shell_text);
    /// The next control frame of this type. Others are kept, but for those in front of it that were already there.
    bytes wait_for_control(wire::frame_type type);
    /// Shows that everything sent so far was dealt with: a ping comes back.
    void settle();

    /// Goes through a resume without a restore. Returns the streams that the agent says it has.
    std::vector<std::uint32_t> resume(std::uint32_t epoch, bool padding);
    /// From now on frames carry this epoch.
    void set_epoch(std::uint32_t epoch) noexcept { encoder_.set_epoch(epoch); }
    void scan_for_resumed(std::uint32_t epoch) { decoder_.scan_for(wire::frame_type::resumed, epoch); }

    [[nodiscard]] stream_state& state(std::uint32_t stream) { return streams_[stream]; }
    [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_.path(); }
    [[nodiscard]] vmdsl::frame_encoder& encoder() noexcept { return encoder_; }
    [[nodiscard]] std::size_t unsent() const noexcept { return outbox_.size(); }
    [[nodiscard]] std::size_t errors_seen() const noexcept { return errors_seen_; }

    /// Whether data is answered with as much credit at once.
    bool automatic_credit = true;
    /// Called for each frame.
    std::function<void(const wire::header&)> on_frame;

    /// Ends the connection and returns the agent's exit status.
    int disconnect();

private:
    struct control_frame {
        wire::frame_type type;
        bytes payload;
    };

    [[nodiscard]] std::vector<std::string> arguments(run_as mode, int fd) const;
    void flush();
    /// One read at most. False where the agent has closed the connection.
    bool receive(std::chrono::steady_clock::time_point until, std::string_view what);
    void take(const wire::header& header, std::span<const std::byte> payload);
    void take_final(stream_state& state, const wire::header& header, std::span<const std::byte> payload);

    temporary_folder folder_;
    vmdsl::unique_fd socket_;
    pid_t pid_ = -1;
    vmdsl::frame_decoder decoder_;
    vmdsl::frame_encoder encoder_;
    bytes outbox_;
    std::map<std::uint32_t, stream_state> streams_;
    std::deque<control_frame> control_;
    std::uint32_t next_stream_ = 1;
    std::uint32_t pings_ = 0;
    std::size_t errors_seen_ = 0;
};

/// Waits, bounded, until a process that may not be our child is gone.
void wait_until_gone(pid_t pid);

/// A process's number that a command printed, alone in its line.
[[nodiscard]] pid_t parse_pid(std::string_view line);

}  // namespace agent_test
