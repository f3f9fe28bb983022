// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Where in a spec a verb was called, which its errors say.

#include <cstdint>
#include <string>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// Where a verb was called: the last parameter of every verb, to be left out. A helper that has one itself, and hands
/// it on, makes errors name the place where the helper was called:
///
///     struct packages {
///         guest& machine;
///         void install(std::string_view name, source_location where = source_location::current()) {
///             machine.run(command("apt-get install -y {}", name), where);
///         }
///     };
///
/// Our own because std::source_location is missing on clang 14 with libstdc++ 12. Where a call is broken over several
/// lines, g++ reports the line of the verb, clang that of its first checked argument.
class source_location {
public:
    /// A place that is not known: renders as nothing.
    constexpr source_location() noexcept = default;

    /// The place of the call, where it stands as a default argument.
    [[nodiscard]] static constexpr source_location current(const char* file = __builtin_FILE(),
                                                           std::uint_least32_t line = __builtin_LINE()) noexcept {
        source_location here;
        here.file_ = file;
        here.line_ = line;
        return here;
    }

    /// The file as the compiler was given it, "" where unknown. A literal: valid for the whole program.
    [[nodiscard]] constexpr const char* file() const noexcept { return file_; }
    /// From 1; 0 where unknown.
    [[nodiscard]] constexpr std::uint_least32_t line() const noexcept { return line_; }

private:
    const char* file_ = "";
    std::uint_least32_t line_ = 0;
};

/// "file:line" as compilers write it, "" where the place is not known: what `error_details` has as `where`.
[[nodiscard]] VMDSL_DECL std::string to_string(const source_location& where);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/core/impl/source_location.ipp>
#endif
