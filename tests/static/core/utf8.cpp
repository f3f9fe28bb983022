// SPDX-License-Identifier: BSL-1.0
#include <string_view>

#include <vmdsl/core/utf8.hpp>

namespace {

using vmdsl::utf8_sequence_length;

static_assert(utf8_sequence_length("") == 0);
static_assert(utf8_sequence_length("a") == 1);
static_assert(utf8_sequence_length(std::string_view("\0", 1)) == 1);
static_assert(utf8_sequence_length("\x7F") == 1);
static_assert(utf8_sequence_length("\xC2\x80") == 2);
static_assert(utf8_sequence_length("\xDF\xBF more") == 2);
static_assert(utf8_sequence_length("\xE0\xA0\x80") == 3);
static_assert(utf8_sequence_length("\xED\x9F\xBF") == 3);
static_assert(utf8_sequence_length("\xEF\xBF\xBF") == 3);
static_assert(utf8_sequence_length("\xF0\x90\x80\x80") == 4);
static_assert(utf8_sequence_length("\xF4\x8F\xBF\xBF") == 4);

// A continuation byte alone, and bytes that occur in no UTF-8.
static_assert(utf8_sequence_length("\x80") == 0);
static_assert(utf8_sequence_length("\xBF") == 0);
static_assert(utf8_sequence_length("\xF5\x80\x80\x80") == 0);
static_assert(utf8_sequence_length("\xFF") == 0);
// Longer than needed.
static_assert(utf8_sequence_length("\xC0\x80") == 0);
static_assert(utf8_sequence_length("\xC1\xBF") == 0);
static_assert(utf8_sequence_length("\xE0\x9F\xBF") == 0);
static_assert(utf8_sequence_length("\xF0\x8F\xBF\xBF") == 0);
// A surrogate, and past the last code point.
static_assert(utf8_sequence_length("\xED\xA0\x80") == 0);
static_assert(utf8_sequence_length("\xF4\x90\x80\x80") == 0);
// Cut off, or followed by something else.
static_assert(utf8_sequence_length("\xC3") == 0);
static_assert(utf8_sequence_length("\xE2\x82") == 0);
static_assert(utf8_sequence_length("\xE2\x82\x41") == 0);
static_assert(utf8_sequence_length("\xF0\x9F\x98\xC0") == 0);

}  // namespace
