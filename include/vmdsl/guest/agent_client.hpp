// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/agent_stream.hpp>
#include <vmdsl/guest/saved_streams.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl {

class payload_builder;

namespace detail {
struct agent_connection;
}

/// Who a guest is told to be.
struct guest_settings {
    std::string host_name;
    std::string machine_id;               ///< 32 hexadecimal digits.
    std::vector<std::string> interfaces;  ///< Each "MAC IPv4/prefix IPv6/prefix".
    std::string hosts;                    ///< Lines for /etc/hosts.
};

/// What to run.
struct command_request {
    /// A text for /bin/sh -c, and nothing else.
    [[nodiscard]] static command_request shell(std::string text) { return {std::move(text), {}, {}, {}}; }

    std::string shell_text;                ///< For /bin/sh -c; or
    std::vector<std::string> arguments;    ///< a program with its arguments, run without a shell.
    std::string directory;                 ///< Default: /root.
    std::vector<std::string> environment;  ///< "NAME=value", added to the agent's own.
    bool takes_input = false;              ///< Its standard input is what is written to the stream, else /dev/null.
};

/// How a machine comes back from a saved state.
struct resume_request {
    /// False: it was saved at any moment, and a frame may have been cut.
    bool quiesced = true;
    /// It comes back among others than it was saved with, and tells switches and neighbours where its addresses are. A
    /// network that is restored as a whole knows; under emulation the packets cost each machine some 40 ms.
    bool announce = false;
};

/// The host's side of the conversation with one guest agent.
///
/// Thread-safe; the calls that wait must not be made on the I/O thread. The guest is not trusted: bytes that are no
/// protocol end the conversation (`lose`), and nothing it sends makes the host allocate without bound.
class agent_client {
public:
    /// Takes over the host's end of the agent port and starts to listen. `on_lost` runs on the I/O thread when the
    /// agent breaks the protocol or has ended, with the reason.
    VMDSL_DECL agent_client(unique_fd socket, std::function<void(std::string reason)> on_lost);
    VMDSL_DECL ~agent_client();
    agent_client(const agent_client&) = delete;
    agent_client& operator=(const agent_client&) = delete;

    /// Waits for an agent that has started after the last `expect_restart` (or ever). Returns the guest's boot id.
    /// Throws `timed_out`, `machine_died`.
    VMDSL_DECL std::string await_hello(deadline until);
    /// The guest is about to boot again, or its agent is gone: what was under way is lost, what had not been sent is
    /// dropped, and the next hello is the one to wait for. Streams that are opened meanwhile wait for it as well.
    VMDSL_DECL void expect_restart();
    /// The guest's side of the port was closed: the guest was reset, as a rule, of which `guest_was_reset` tells, or
    /// its agent ended. As `expect_restart`; but where neither a reset nor a new agent's hello comes within `patience`,
    /// the agent is lost (`on_lost`).
    VMDSL_DECL void port_closed(std::chrono::milliseconds patience = std::chrono::seconds(10));
    /// The guest boots again. May come a moment before or after `port_closed`: QEMU reports a port once a second at
    /// most.
    VMDSL_DECL void guest_was_reset();
    /// After something ended because the port was closed: returns as soon as it is known that the guest boots again, or
    /// that another agent has come, or at the deadline. Throws `machine_died` where it was something else, such as a
    /// guest that switched itself off: QEMU ends a moment after the port.
    VMDSL_DECL void await_restart(deadline until);
    /// Tells the guest its name and addresses, the time, and a seed. Returns what did not work, empty where all did.
    /// Throws `timed_out`, `machine_died`.
    VMDSL_DECL std::string configure(const guest_settings& settings, deadline until);

    /// Tells the guest anew who there is in the network: /etc/hosts. Returns and throws likewise.
    VMDSL_DECL std::string set_hosts(const std::string& hosts, deadline until);

    /// Makes the agent fall silent, so that the machine can be saved. Throws `timed_out`, `machine_died`.
    VMDSL_DECL void quiesce(deadline until);
    /// After a restore: gives the guest the present time and a seed and waits for its first frame of a fresh epoch.
    /// Throws likewise.
    VMDSL_DECL void resume(const resume_request& request, deadline until);

    /// Asks the guest to switch off or to reboot, after a sync. There is no answer but the machine's.
    VMDSL_DECL void power(wire::power action);

    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> start_command(const command_request& request,
                                                                         stream_sink sink = {});
    /// The same on a pseudo-terminal of its own: what is written to the stream are its keys, and both outputs come on
    /// the channel main.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> start_terminal(const command_request& request,
                                                                          terminal_size size, stream_sink sink);
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> read_file(std::string_view path);
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> write_file(std::string_view path, std::uint32_t mode,
                                                                      bool append);
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> stat(std::string_view path);
    /// A file or a folder with everything in it, in the form that tree_codec.hpp reads and writes.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> read_tree(std::string_view path, stream_sink sink = {});
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> write_tree(std::string_view path, stream_sink sink = {});
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> dial(std::string_view network, std::string_view address,
                                                                std::uint16_t port, stream_sink sink = {});
    /// What the clones of this machine need of the conversation so far. To be called when the agent is silent.
    [[nodiscard]] VMDSL_DECL saved_streams save() const;
    /// Goes on from there, in a clone. To be called before `resume`, so that nothing is missed that the streams send.
    VMDSL_DECL void restore(const saved_streams& saved);
    /// Takes part in a stream again that was there when the machine was saved: with what it had sent until then, and
    /// with its end where it had one. Every call returns the same stream. An unknown one has ended with ESRCH.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> attach(std::uint32_t stream_id);

    /// The machine is gone: every waiting call, and every later one, throws `machine_died` with these details.
    VMDSL_DECL void lose(error_details reason);

private:
    [[nodiscard]] VMDSL_DECL std::shared_ptr<agent_stream> open(wire::stream_kind kind, payload_builder request,
                                                                stream_sink sink = {});

    [[nodiscard]] VMDSL_DECL std::string configure_with(const payload_builder& payload, deadline until);

    std::shared_ptr<detail::agent_connection> connection_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/agent_client.ipp>
#endif
