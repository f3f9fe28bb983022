// SPDX-License-Identifier: BSL-1.0
#include <string_view>

#include <vmdsl/core/pattern_cursor.hpp>

namespace {

using namespace vmdsl::detail;
using enum pattern_token_kind;

constexpr pattern_token first(std::string_view text) {
    return pattern_cursor(text).next();
}
constexpr pattern_token second(std::string_view text) {
    pattern_cursor cursor(text);
    cursor.next();
    return cursor.next();
}

static_assert(first("").kind == end);
static_assert(first("ab").is('a'));
static_assert(first("ab").is_one_of("xa"));
static_assert(!first("ab").is_one_of("xb"));
static_assert(!first("").is('\0'));
static_assert(!first("{}").is('{'));

static_assert(first("{}").kind == placeholder);
static_assert(first("{}").spec.empty());
static_assert(first("{:04}x").kind == placeholder);
static_assert(first("{:04}x").spec == "04");
static_assert(second("{:04}x").is('x'));
static_assert(second("{}").kind == end);

static_assert(first("{{x").is('{'));
static_assert(second("{{x").is('x'));
static_assert(first("}}x").is('}'));
static_assert(second("{{}").kind == stray_brace);
static_assert(second("{}}}").is('}'));

static_assert(first("{").kind == stray_brace);
static_assert(first("}").kind == stray_brace);
static_assert(first("{0}").kind == stray_brace);
static_assert(first("{x}").kind == stray_brace);
static_assert(first("{:}").kind == stray_brace);
static_assert(first("{:{}}").kind == stray_brace);
static_assert(first("{:4").kind == stray_brace);

// Looking ahead does not advance.
constexpr bool peeks() {
    pattern_cursor cursor("ab");
    return cursor.peek().is('a') && cursor.peek().is('a') && cursor.next().is('a') && cursor.next().is('b');
}
static_assert(peeks());

}  // namespace
