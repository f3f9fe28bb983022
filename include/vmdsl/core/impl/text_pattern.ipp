// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <regex>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/text_pattern.hpp>

namespace vmdsl {

struct text_pattern::compiled {
    std::regex expression;
};

VMDSL_DECL text_pattern matching(std::string_view expression) {
    text_pattern pattern(expression);
    try {
        pattern.expression_ =
            std::make_shared<text_pattern::compiled>(text_pattern::compiled{std::regex(std::string(expression))});
    } catch (const std::regex_error& problem) {
        throw usage_error("\"" + std::string(expression) + "\" is no regular expression: " + problem.what());
    }
    return pattern;
}

VMDSL_DECL std::optional<std::size_t> text_pattern::end_in(std::string_view line) const {
    if (!expression_) {
        const auto found = line.find(text_);
        return found == std::string_view::npos ? std::nullopt : std::optional(found + text_.size());
    }
    std::cmatch match;
    if (!std::regex_search(line.data(), line.data() + line.size(), match, expression_->expression)) {
        return std::nullopt;
    }
    return static_cast<std::size_t>(match.position() + match.length());
}

VMDSL_DECL std::string text_pattern::describe() const {
    return expression_ ? "/" + text_ + "/" : "\"" + text_ + "\"";
}

}  // namespace vmdsl
