// SPDX-License-Identifier: BSL-1.0
// A console's bytes, whole and in pieces.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include <vmdsl/guest/console_log.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

using vmdsl::console_log;

/// Lines of which some are what the log looks for, and repetitions that fill it.
std::string make_console(fuzz::input& input) {
    std::string text;
    while (!input.empty()) {
        const auto decision = input.byte();
        switch (decision % 8) {
            case 0:
                text += "Kernel panic - not syncing";
                break;
            case 1:
                text += "BUG: ";
                break;
            case 2:
                text += "vmdsl: \n";
                break;
            case 3:
                text += std::string(input.byte() * 4U, '\n');
                break;
            case 4:
                text += std::string(input.number() % 9000U, 'x');
                break;
            default:
                text += input.text(decision / 4U);
        }
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const std::size_t piece = 1U + input.byte();
    const auto text = make_console(input);
    console_log whole;
    const auto panic = whole.feed(text);
    console_log pieces;
    std::optional<std::string> panic_in_pieces;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
        if (const auto found = pieces.feed(rest.substr(0, piece))) {
            fuzz::require(!panic_in_pieces, "a panic is told once");
            panic_in_pieces = found;
        }
    }
    fuzz::require(panic == panic_in_pieces, "the pieces make no difference to the panic");
    fuzz::require(whole.panic_text() == pieces.panic_text(), "nor to its text");
    fuzz::require(whole.tail(1000) == pieces.tail(1000), "nor to the tail");
    fuzz::require(whole.tail(1000).size() <= (console_log::max_lines + 1) * (console_log::max_line + 1),
                  "the log is bounded");
    const auto all = whole.tail(1000);
    for (std::size_t at = 0, end = 0; at < all.size(); at = end + 1) {
        end = std::min(all.find('\n', at), all.size());
        fuzz::require(end - at <= console_log::max_line, "so are its lines");
    }
    fuzz::require(
        !panic || all.find(*panic + "\n") == std::string::npos || whole.panic_text().find(*panic) != std::string::npos,
        "a panic's text has the line that says so");
    const auto tail = whole.tail(3);
    fuzz::require(std::count(tail.begin(), tail.end(), '\n') <= 3, "a tail has as many lines as were asked for");
    fuzz::require(panic.has_value() || whole.panic_text().empty(), "no panic, no text");
    return 0;
}
