// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/json_text.hpp>

namespace {

std::string as_json(std::string_view text) {
    std::string out;
    vmdsl::append_json_string(out, text);
    return out;
}

std::string as_json(double value) {
    std::string out;
    vmdsl::append_json_number(out, value);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(json_text)

BOOST_AUTO_TEST_CASE(printable_text_stays_as_it_is) {
    BOOST_TEST(as_json("") == "\"\"");
    BOOST_TEST(as_json("plain text, 100 % / ok") == "\"plain text, 100 % / ok\"");
    BOOST_TEST(as_json("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80") ==
               "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80\"");
}

BOOST_AUTO_TEST_CASE(quotes_and_backslashes_are_escaped) {
    BOOST_TEST(as_json("a\"b\\c") == "\"a\\\"b\\\\c\"");
}

BOOST_AUTO_TEST_CASE(control_characters_become_code_points) {
    BOOST_TEST(as_json(std::string_view("\0\x1B[31m\r\n\t\x7F", 10)) ==
               "\"\\u0000\\u001b[31m\\u000d\\u000a\\u0009\\u007f\"");
    BOOST_TEST(as_json("\xC2\x80\xC2\x9B\xC2\xA0") == "\"\\u0080\\u009b\xC2\xA0\"");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_utf8_become_four_characters_each) {
    BOOST_TEST(as_json("\xFF") == R"("\\xff")");
    BOOST_TEST(as_json("a\xC3") == R"("a\\xc3")");
    BOOST_TEST(as_json("\xED\xA0\x80z") == R"("\\xed\\xa0\\x80z")");
    BOOST_TEST(as_json("\xE2\x82\"") == R"("\\xe2\\x82\"")");
}

BOOST_AUTO_TEST_CASE(whatever_the_bytes_the_result_is_one_printable_line) {
    std::string all;
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            all += static_cast<char>(first);
            all += static_cast<char>(second);
        }
    }
    const auto json = as_json(all);
    for (const char c : json) {
        const auto byte = static_cast<unsigned char>(c);
        BOOST_REQUIRE(byte >= 0x20);
        BOOST_REQUIRE(byte != 0x7F);
    }
}

BOOST_AUTO_TEST_CASE(numbers_read_back_to_the_same_value) {
    const auto limits = std::numeric_limits<double>();
    for (const double value : {0.1, -1e-7, 3.14159, 1e300, limits.min(), limits.max(), limits.denorm_min()}) {
        BOOST_TEST(std::strtod(as_json(value).c_str(), nullptr) == value);
    }
}

BOOST_AUTO_TEST_CASE(numbers_are_told_from_integers) {
    BOOST_TEST(as_json(0.0) == "0.0");
    BOOST_TEST(as_json(-2.0) == "-2.0");
    BOOST_TEST(as_json(1e22) == "1e+22");
}

BOOST_AUTO_TEST_CASE(what_json_has_no_number_for_is_null) {
    BOOST_TEST(as_json(std::nan("")) == "null");
    BOOST_TEST(as_json(HUGE_VAL) == "null");
    BOOST_TEST(as_json(-HUGE_VAL) == "null");
}

BOOST_AUTO_TEST_SUITE_END()
