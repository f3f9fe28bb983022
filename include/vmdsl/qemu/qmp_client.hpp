// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/qemu/qmp_codec.hpp>

namespace vmdsl {

/// A conversation with one QEMU: commands with deadlines, events to a callback.
///
/// Internal: includes Boost.JSON. Thread-safe, but nothing here may be called on the I/O thread.
class qmp_client {
public:
    /// Takes over the host's end of the QMP socket. `on_event` runs on the I/O thread.
    VMDSL_DECL qmp_client(unique_fd socket, std::function<void(const qmp_message&)> on_event);
    VMDSL_DECL ~qmp_client();
    qmp_client(const qmp_client&) = delete;
    qmp_client& operator=(const qmp_client&) = delete;

    /// Waits for QEMU's greeting and leaves the negotiation mode. Throws `machine_died` where QEMU went away (or is not
    /// even one), `timed_out`.
    VMDSL_DECL void handshake(deadline until);

    /// Executes a command and returns what it returned. Throws `error` with QEMU's words where it failed,
    /// `machine_died` where QEMU went away before it answered, `timed_out`.
    VMDSL_DECL boost::json::value execute(std::string_view command, const boost::json::object& arguments,
                                          deadline until);

    /// Hands QEMU a descriptor, under a name that later commands use ("fd:NAME"). The caller may close its
    /// own at any time. Throws as `execute`, and `could_not_run` where the system has no descriptor left.
    VMDSL_DECL void send_descriptor(std::string_view name, const unique_fd& descriptor, deadline until);

    /// Ends every waiting call with `machine_died`; QEMU is gone. Safe on any thread.
    VMDSL_DECL void abandon();

private:
    struct connection;

    VMDSL_DECL boost::json::value call(std::string_view command, const boost::json::object& arguments,
                                       std::shared_ptr<const unique_fd> descriptor, deadline until);

    std::shared_ptr<connection> connection_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/qmp_client.ipp>
#endif
