// SPDX-License-Identifier: BSL-1.0
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/text_pattern.hpp>

namespace {

using namespace vmdsl;

BOOST_AUTO_TEST_SUITE(text_pattern_test)

BOOST_AUTO_TEST_CASE(plain_text_has_no_special_characters) {
    const text_pattern pattern = "a.b";
    BOOST_TEST(pattern.end_in("x a.b a.b").value() == 5U);
    BOOST_TEST(!pattern.end_in("aXb").has_value());
    BOOST_TEST(pattern.describe() == "\"a.b\"");
    BOOST_TEST(text_pattern(std::string("b")).end_in("ab").value() == 2U);
}

BOOST_AUTO_TEST_CASE(expressions_are_looked_for_anywhere_in_the_line) {
    const auto pattern = matching("usb [0-9]+$");
    BOOST_TEST(pattern.end_in("new usb 42").value() == 10U);
    BOOST_TEST(!pattern.end_in("usb 42 new").has_value());
    BOOST_TEST(pattern.describe() == "/usb [0-9]+$/");
}

BOOST_AUTO_TEST_CASE(what_is_no_expression_is_refused) {
    BOOST_CHECK_EXCEPTION((void)matching("(open"), usage_error, [](const usage_error& e) {
        return std::string_view(e.what()).find("\"(open\" is no regular expression") != std::string_view::npos;
    });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
