// SPDX-License-Identifier: BSL-1.0
// Files of counters as a guest sends them: any bytes, and records behind a good header.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <vmdsl/coverage/counter_file.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

constexpr std::string_view header("adcg*22B\x18\xbf\xf2\x11\x44\xca\xd5\x36", 16);
constexpr std::string_view notes("oncg*22B\x18\xbf\xf2\x11\x44\xca\xd5\x36", 16);

void append_word(std::string& text, std::uint32_t word) {
    for (int shift = 0; shift < 32; shift += 8) {
        text += static_cast<char>(word >> shift & 0xFFU);
    }
}

/// Records whose lengths are right more often than not.
std::string make_counters(fuzz::input& input) {
    constexpr std::uint32_t tags[] = {0x01000000, 0xa1000000, 0x01a10000, 0x01a30000, 0};
    std::string text(header);
    while (!input.empty()) {
        const auto decision = input.byte();
        append_word(text, tags[decision % 5]);
        if (tags[decision % 5] == 0) {
            break;
        }
        const auto content = input.text(input.byte());
        append_word(text, decision >= 240 ? input.number() * 65537U : static_cast<std::uint32_t>(content.size()));
        text += content;
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const bool any = input.byte() % 4 == 0;
    const std::size_t cut = input.number();
    const auto content = any ? std::string(input.text(size)) : make_counters(input);
    const auto problem = vmdsl::counter_file_problem(content, notes);
    const bool counts = vmdsl::has_counts(content);
    if (problem.empty()) {
        fuzz::require(content.starts_with(header.substr(0, 12)), "good counters are of this build");
        fuzz::require(content.ends_with(std::string_view("\0\0\0\0", 4)), "and end with a zero");
        fuzz::require(cut >= content.size() || !vmdsl::counter_file_problem(content.substr(0, cut), notes).empty(),
                      "a cut is seen");
        fuzz::require(!vmdsl::counter_file_problem(content + "x", notes).empty(), "so is what comes behind the end");
    }
    fuzz::require(!counts || content.find_first_not_of('\0', header.size()) != std::string::npos,
                  "zeros are no counts");
    fuzz::require(!vmdsl::counter_file_problem(content, content).empty(), "counters are no notes");
    return 0;
}
