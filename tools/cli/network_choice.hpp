// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>

#include <vmdsl/process/control_channel.hpp>

#include "command.hpp"

namespace vmdsl::cli {

/// Takes "--network VALUE" (or "--network=VALUE") out of the words; empty where it is not among them. What comes after
/// the first word that is no option is left alone. Throws `usage_error` where the value is missing.
[[nodiscard]] std::string take_network_option(words& given);

/// The running network that is meant: the only one, or the one with this id, this beginning of an id, this program's
/// name or this folder. Throws `could_not_run` where there is none, `usage_error` where it could be several.
[[nodiscard]] vmdsl::detail::running_network choose_network(const std::string& wanted);

}  // namespace vmdsl::cli
