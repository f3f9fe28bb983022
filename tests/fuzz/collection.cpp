// SPDX-License-Identifier: BSL-1.0
// What a guest's collector of coverage prints, whole and cut off.
#include <cstddef>
#include <cstdint>
#include <string>

#include <vmdsl/coverage/collection.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

/// Lines as the collector prints them, and others.
std::string make_output(fuzz::input& input) {
    std::string text = input.byte() % 16 == 0 ? "" : "vmdsl-coverage 1\n";
    std::size_t files = 0;
    while (!input.empty()) {
        const auto decision = input.byte();
        switch (decision % 8) {
            case 0:
                text += "flushed 12 apache2\n";
                break;
            case 1:
                text += "missed ";
                break;
            case 2:
                text += "error ";
                break;
            case 3:
                text += "\n";
                break;
            case 4:
                text += "end " + std::to_string(files) + "\n";
                break;
            case 5:
                text += input.text(decision / 8U);
                break;
            default: {
                const auto content = input.text(decision / 8U);
                text += "file " + std::to_string(content.size()) + " /coverage/own/a.gcda\n";
                text += content;
                ++files;
            }
        }
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const std::size_t cut = input.number();
    const auto text = make_output(input);
    const auto whole = vmdsl::parse_collection(text);
    std::size_t bytes = 0;
    for (const auto& file : whole.files) {
        bytes += file.path.size() + file.content.size();
    }
    fuzz::require(bytes <= text.size(), "nothing is made up");
    fuzz::require(!whole.problem.empty() || text.starts_with("vmdsl-coverage 1\n"), "what is whole begins so");

    const auto part = vmdsl::parse_collection(text.substr(0, cut));
    fuzz::require(part.files.size() <= whole.files.size(), "a cut adds nothing");
    for (std::size_t i = 0; i < part.files.size(); ++i) {
        fuzz::require(part.files[i].content == whole.files[i].content, "what came before a cut stays as it is");
    }
    fuzz::require(!whole.problem.empty() || cut + 1 >= text.size() || !part.problem.empty(), "a cut is seen");
    return 0;
}
