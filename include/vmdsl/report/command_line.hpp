// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// What a test program was asked for: vmdsl's own options, and what is left for Boost.Test.
struct command_line {
    std::filesystem::path output;            ///< Folder for the results.
    std::chrono::seconds case_timeout{300};  ///< 0: none.
    std::string acceleration = "auto";       ///< "auto", "kvm" or "tcg".
    bool keep = false;
    bool quiet = false;
    bool verbose = false;
    bool interactive = false;  ///< No case runs; the network is for a person.
    bool attended = false;     ///< Cases run while a person watches.
    bool help = false;
    std::vector<std::string> boost_arguments;  ///< The program's name first.
};

/// Takes vmdsl's options out of the arguments (the program's name first); the environment's variables count where an
/// option is not given. What stands after `--` is the spec's own. Throws `usage_error` where a value is missing or
/// makes no sense; options that are not known are left to Boost.Test.
[[nodiscard]] VMDSL_DECL command_line parse_command_line(const std::vector<std::string>& arguments);

/// The part of `--help` that is ours.
[[nodiscard]] VMDSL_DECL std::string option_help();

/// The option of ours that somebody who typed this most likely meant ("--outptu=x": "--output"); empty where none is
/// near.
[[nodiscard]] VMDSL_DECL std::string nearest_option(std::string_view typed);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/report/impl/command_line.ipp>
#endif
