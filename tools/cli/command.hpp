// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmdsl::cli {

/// The words after a sub-command's name.
using words = std::vector<std::string>;

/// A sub-command: `vmdsl NAME ...`. What `run` returns is the exit code; it throws `usage_error` where the words make
/// no sense, and `could_not_run`.
struct command {
    std::string_view name;
    std::string_view summary;
    std::string_view help;  ///< The whole text of `vmdsl NAME --help`.
    int (*run)(const words& given);
};

extern const command attach;
extern const command doctor;
extern const command run;
extern const command shell;

}  // namespace vmdsl::cli
