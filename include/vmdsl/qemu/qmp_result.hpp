// SPDX-License-Identifier: BSL-1.0
#pragma once

/// What QEMU answered: the result of `guest::qmp` and `guest::wait_for_qmp_event`.
///
///     auto status = client.qmp("query-status");
///     BOOST_TEST(status.text("/status") == "running");
///     BOOST_TEST(client.qmp("query-cpus-fast").size() == 1U);

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What QEMU answered to a command, or said in an event: JSON, and typed access to what is in it. A value.
///
/// Parts are named by JSON pointers (RFC 6901): "/status", "/0/device", "" for the whole. Each function throws
/// `usage_error` where there is no such part, or it is of another kind; the error has the whole text.
class qmp_result {
public:
    /// For tests of code that takes results.
    explicit qmp_result(std::string json) : json_(std::move(json)) {}

    /// All of it as JSON text.
    [[nodiscard]] const std::string& json() const noexcept { return json_; }

    /// Whether there is such a part, of whatever kind. Never throws `usage_error`.
    [[nodiscard]] VMDSL_DECL bool has(std::string_view pointer) const;
    /// A part that is a string.
    [[nodiscard]] VMDSL_DECL std::string text(std::string_view pointer) const;
    /// A part that is a whole number.
    [[nodiscard]] VMDSL_DECL std::int64_t number(std::string_view pointer) const;
    /// A part that is true or false.
    [[nodiscard]] VMDSL_DECL bool flag(std::string_view pointer) const;
    /// How many elements a list has, or members an object; those of the whole by default.
    [[nodiscard]] VMDSL_DECL std::size_t size(std::string_view pointer = {}) const;

private:
    std::string json_;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/qmp_result.ipp>
#endif
