// SPDX-License-Identifier: BSL-1.0
// What QEMU says, with strings of the guest in it; whole and in pieces.
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/serialize.hpp>

#include <vmdsl/qemu/qmp_codec.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

using namespace vmdsl;

/// Lines of QMP's vocabulary, put together at random, and anything else.
std::string make_text(fuzz::input& input) {
    constexpr std::string_view words[] = {
        "{",      "}",       "[", "]",  ":",     ",",  "\"return\"", "\"error\"", "\"desc\"", "\"event\"",  "\"data\"",
        "\"id\"", "\"QMP\"", "1", "-1", "\"x\"", "\n", "\r\n",       "null",      "1e999",    "\"\\ud800\""};
    std::string text;
    while (!input.empty()) {
        const auto decision = input.byte();
        if (decision < 200) {
            text += words[decision % std::size(words)];
        } else {
            text += input.text(decision - 200U);
        }
    }
    return text + "\n";
}

std::string describe(const std::vector<qmp_message>& messages) {
    std::string text;
    for (const auto& each : messages) {
        text += std::to_string(static_cast<int>(each.what)) + " " + std::to_string(each.id) + " " + each.text + " " +
                boost::json::serialize(each.body) + "\n";
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const std::size_t piece = 1U + input.byte();
    const auto text = make_text(input);
    qmp_codec whole;
    const auto messages = whole.feed(text);
    std::vector<qmp_message> in_pieces;
    qmp_codec pieces;
    for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
        for (auto& message : pieces.feed(rest.substr(0, piece))) {
            in_pieces.push_back(std::move(message));
        }
    }
    fuzz::require(describe(messages) == describe(in_pieces), "the pieces make no difference");
    for (const auto& message : messages) {
        fuzz::require(message.what != qmp_message::kind::garbage || message.text.size() <= 200, "garbage is cut");
    }
    return 0;
}
