// SPDX-License-Identifier: BSL-1.0
// Whatever a guest prints becomes text that a terminal and an XML parser take.
#include <cstdint>
#include <string>
#include <string_view>

#include <vmdsl/core/utf8.hpp>
#include <vmdsl/report/printable.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

void check_characters(std::string_view text) {
    while (!text.empty()) {
        const auto length = vmdsl::utf8_sequence_length(text);
        fuzz::require(length > 0, "it is UTF-8");
        const auto first = static_cast<unsigned char>(text.front());
        fuzz::require(length > 1 || first >= 0x20 || first == '\n' || first == '\t', "no control characters");
        fuzz::require(first != 0x7f, "no delete");
        const auto character = text.substr(0, length);
        fuzz::require(character != "\xEF\xBF\xBE" && character != "\xEF\xBF\xBF", "XML has all of its characters");
        fuzz::require(length != 2 || first != 0xC2 || static_cast<unsigned char>(text[1]) >= 0xA0, "no C1 controls");
        text.remove_prefix(length);
    }
}

/// What a parser makes of it; it may not hold markup.
std::string parse(std::string_view xml, bool attribute) {
    constexpr std::pair<std::string_view, char> entities[] = {{"&amp;", '&'},  {"&lt;", '<'},   {"&gt;", '>'},
                                                              {"&quot;", '"'}, {"&#10;", '\n'}, {"&#9;", '\t'}};
    std::string text;
    while (!xml.empty()) {
        fuzz::require(xml.front() != '<' && xml.front() != '>', "no markup");
        fuzz::require(!attribute || (xml.front() != '"' && xml.front() != '\n' && xml.front() != '\t'),
                      "an attribute ends where it should, and keeps its white space");
        bool found = false;
        for (const auto& [entity, character] : entities) {
            if (xml.starts_with(entity)) {
                text += character;
                xml.remove_prefix(entity.size());
                found = true;
                break;
            }
        }
        if (!found) {
            fuzz::require(xml.front() != '&', "every & begins an entity");
            text += xml.front();
            xml.remove_prefix(1);
        }
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::input input(data, size);
    const std::size_t limit = input.byte();
    const auto text = input.text(size);
    const auto shown = vmdsl::printable(text);
    check_characters(shown);
    fuzz::require(vmdsl::printable(shown) == shown, "what is printable stays as it is");
    fuzz::require(parse(vmdsl::xml_text(text), false) == shown, "a parser reads what was written");
    fuzz::require(parse(vmdsl::xml_attribute(text), true) == shown, "also in an attribute");
    const auto tail = vmdsl::tail_of(text, limit);
    fuzz::require(tail.size() <= limit + 64, "a tail is short");
    fuzz::require(text.size() > limit || tail == text, "what is short stays whole");
    const auto line = vmdsl::first_line(text);
    fuzz::require(line.find_first_of("\r\n") == std::string_view::npos, "a line is one line");
    fuzz::require(!line.empty() || text.find_first_not_of("\r\n") == std::string_view::npos, "and the first one");
    return 0;
}
