// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <vmdsl/coverage/collection.hpp>

namespace vmdsl {

namespace detail {

/// Takes the next word, or the next line's rest, off the text.
inline std::string_view take_until(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const auto part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

inline std::optional<std::size_t> counted(std::string_view word) {
    std::size_t value = 0;
    const auto* const end = word.data() + word.size();
    const auto result = std::from_chars(word.data(), end, value);
    return result.ec == std::errc{} && result.ptr == end ? std::optional(value) : std::nullopt;
}

}  // namespace detail

VMDSL_DECL collection parse_collection(std::string_view text) {
    collection found;
    if (detail::take_until(text, '\n') != "vmdsl-coverage 1") {
        found.problem = "a guest's collector of coverage speaks another format; build the image again";
        return found;
    }
    while (!text.empty()) {
        auto line = detail::take_until(text, '\n');
        const auto what = detail::take_until(line, ' ');
        if (what == "flushed") {
            ++found.flushed;
        } else if (what == "missed") {
            const auto process = detail::take_until(line, ' ');
            const auto name = detail::take_until(line, ' ');
            found.missed.push_back(std::string(name) + " (process " + std::string(process) + ") " + std::string(line));
        } else if (what == "error") {
            found.errors.emplace_back(line);
        } else if (what == "file") {
            const auto size = detail::counted(detail::take_until(line, ' '));
            if (!size || *size > text.size()) {
                break;
            }
            found.files.push_back({std::string(line), std::string(text.substr(0, *size))});
            text.remove_prefix(*size);
        } else if (what == "end" && detail::counted(line) == found.files.size() && text.empty()) {
            return found;
        } else {
            break;
        }
    }
    found.problem = "what a guest's collector of coverage printed ends after " + std::to_string(found.files.size()) +
                    " files, and is not all";
    return found;
}

}  // namespace vmdsl
