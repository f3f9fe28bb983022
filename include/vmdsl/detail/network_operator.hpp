// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl::detail {

class network_core;

/// What a person asks of a running network, a line at a time: "machines", "cut client", "run client svn info ...".
/// Thread-safe: the verbs are.
class network_operator {
public:
    explicit network_operator(network_core& core) : core_(&core) {}

    /// A line, taken apart. What follows the machine's name is one text: a shell command has spaces of its own.
    struct question {
        std::string verb;
        std::string machine;
        std::string rest;
    };
    [[nodiscard]] static VMDSL_DECL question parse(std::string_view line);

    /// Does what the line says and returns the text to show. `run` and `shell` are not among it: they have output of
    /// their own. Throws `usage_error` where the line makes no sense, and what verbs throw.
    [[nodiscard]] VMDSL_DECL std::string perform(const question& asked) const;

    /// What the last word of the beginning of a line may become, in alphabetical order.
    [[nodiscard]] VMDSL_DECL std::vector<std::string> complete(std::string_view beginning) const;

    /// The machine's index. Throws `usage_error`, with the names that there are.
    [[nodiscard]] VMDSL_DECL std::size_t machine_named(std::string_view name) const;

private:
    [[nodiscard]] VMDSL_DECL std::string describe_machines() const;
    [[nodiscard]] VMDSL_DECL std::string describe_machine(std::size_t index) const;
    VMDSL_DECL void cut_or_heal(const question& asked) const;

    network_core* core_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/network_operator.ipp>
#endif
