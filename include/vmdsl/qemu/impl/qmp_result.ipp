// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/qemu/qmp_result.hpp>

namespace vmdsl {

namespace detail {

/// Calls `use` with the part, or with null where there is none.
template <class Use>
auto use_part(const std::string& json, std::string_view pointer, Use use) {
    boost::json::error_code ec;
    const auto whole = boost::json::parse(json, ec);
    const boost::json::value* part = nullptr;
    if (!ec) {
        part = whole.find_pointer(boost::json::string_view(pointer.data(), pointer.size()), ec);
    }
    return use(part);
}

[[noreturn]] inline void throw_no_such_part(const std::string& json, std::string_view pointer, std::string_view kind) {
    throw usage_error("QEMU's answer has no " + std::string(kind) + " at \"" + std::string(pointer) + "\": " + json);
}

}  // namespace detail

VMDSL_DECL bool qmp_result::has(std::string_view pointer) const {
    return detail::use_part(json_, pointer, [](const auto* part) { return part != nullptr; });
}

VMDSL_DECL std::string qmp_result::text(std::string_view pointer) const {
    return detail::use_part(json_, pointer, [&](const auto* part) {
        if (part == nullptr || !part->is_string()) {
            detail::throw_no_such_part(json_, pointer, "text");
        }
        return std::string(part->get_string());
    });
}

VMDSL_DECL std::int64_t qmp_result::number(std::string_view pointer) const {
    return detail::use_part(json_, pointer, [&](const auto* part) {
        boost::json::error_code ec;
        const auto number = part != nullptr ? part->template to_number<std::int64_t>(ec) : 0;
        if (part == nullptr || ec) {
            detail::throw_no_such_part(json_, pointer, "whole number");
        }
        return number;
    });
}

VMDSL_DECL bool qmp_result::flag(std::string_view pointer) const {
    return detail::use_part(json_, pointer, [&](const auto* part) {
        if (part == nullptr || !part->is_bool()) {
            detail::throw_no_such_part(json_, pointer, "truth value");
        }
        return part->get_bool();
    });
}

VMDSL_DECL std::size_t qmp_result::size(std::string_view pointer) const {
    return detail::use_part(json_, pointer, [&](const auto* part) {
        if (part == nullptr || !part->is_structured()) {
            detail::throw_no_such_part(json_, pointer, "list or object");
        }
        return part->is_array() ? part->get_array().size() : part->get_object().size();
    });
}

}  // namespace vmdsl
