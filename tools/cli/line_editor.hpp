// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmdsl::cli {

/// Reads lines: from a terminal with editing, a history that is kept from one time to the next, and completion by the
/// tab key; from anything else as they are. Without libedit the terminal's own editing is all there is.
class line_editor {
public:
    /// What the last word of a line's beginning may become.
    using completer = std::function<std::vector<std::string>(std::string_view beginning)>;

    line_editor(std::string prompt, completer complete);
    ~line_editor();
    line_editor(const line_editor&) = delete;
    line_editor& operator=(const line_editor&) = delete;

    /// The next line, without its end. Empty (no value) at the end of the input, which Ctrl-D is.
    [[nodiscard]] std::optional<std::string> read();

private:
    struct implementation;

    std::unique_ptr<implementation> impl_;
};

}  // namespace vmdsl::cli
