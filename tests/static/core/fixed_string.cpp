// SPDX-License-Identifier: BSL-1.0
#include <string_view>
#include <type_traits>

#include <vmdsl/core/fixed_string.hpp>

namespace {

template <vmdsl::fixed_string Text>
struct tag {
    static constexpr std::string_view text = Text.view();
};

static_assert(tag<"webserver">::text == "webserver");
static_assert(tag<"">::text.empty());
static_assert(tag<"a\0b">::text.size() == 3);
static_assert(std::is_same_v<tag<"a">, tag<"a">>);
static_assert(!std::is_same_v<tag<"a">, tag<"b">>);
static_assert(!std::is_same_v<tag<"a">, tag<"a\0">>);

constexpr vmdsl::fixed_string word = "word";
static_assert(word.size() == 4);
static_assert(word.data[4] == '\0');
static_assert(word == vmdsl::fixed_string("word"));

}  // namespace
