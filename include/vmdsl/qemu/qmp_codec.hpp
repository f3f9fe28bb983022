// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// One message of QEMU's machine protocol (docs/interop/qmp-spec.txt).
struct qmp_message {
    enum class kind {
        greeting,  ///< The first one.
        result,    ///< The answer to a command; `body` is its return value.
        failure,   ///< The answer to a command; `text` says why it failed.
        event,     ///< `text` is its name, `body` its data.
        garbage,   ///< Not QMP; `text` is the start of the line.
    };
    kind what = kind::garbage;
    std::uint64_t id = 0;  ///< Of the command that a result or failure answers.
    std::string text;
    boost::json::value body;
};

/// QMP without I/O: bytes in, messages out; commands in, bytes out.
class qmp_codec {
public:
    /// The longest line that is taken, in bytes. Longer ones are reported as garbage and dropped.
    static constexpr std::size_t max_line = 4U << 20;

    /// Takes bytes from QEMU and returns the messages that became complete.
    [[nodiscard]] VMDSL_DECL std::vector<qmp_message> feed(std::string_view bytes);

    /// The line that executes a command; `id` comes back with the answer.
    [[nodiscard]] static VMDSL_DECL std::string command(std::uint64_t id, std::string_view name,
                                                        const boost::json::object& arguments);

private:
    [[nodiscard]] static VMDSL_DECL qmp_message parse(std::string_view line);

    std::string pending_;
    bool skipping_ = false;  // inside a line that is too long
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/qmp_codec.ipp>
#endif
