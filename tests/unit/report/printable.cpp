// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <vmdsl/report/printable.hpp>

namespace {

using namespace std::literals;
using namespace vmdsl;

}  // namespace

BOOST_AUTO_TEST_SUITE(printable_)

BOOST_AUTO_TEST_CASE(text_stays_as_it_is) {
    const auto text = "plain, \ttabs\nand lines, gr\xC3\xBC\xC3\x9F, \xE2\x82\xAC, \xF0\x9F\x90\xA7 <&> \"]]>\""sv;
    BOOST_TEST(printable(text) == text);
    BOOST_TEST(printable("").empty());
}

BOOST_AUTO_TEST_CASE(line_ends_of_a_console_become_ours) {
    BOOST_TEST(printable("a\r\nb\r\n") == "a\nb\n");
    BOOST_TEST(printable("50%\r100%\r\r\n") == "50%\\x0d100%\\x0d\n");
}

BOOST_AUTO_TEST_CASE(what_is_no_text_becomes_visible) {
    BOOST_TEST(printable("\x1B[31mred\x1B[0m\x01\x7F"sv) == "\\x1b[31mred\\x1b[0m\\x01\\x7f");
    BOOST_TEST(printable("nul:\0!"sv) == "nul:\\x00!");
    BOOST_TEST(printable("\xC2\x9B"
                         "31m\xC2\xA0") == "\\xc2\\x9b31m\xC2\xA0");  // an 8-bit CSI, and a space that may stay
}

BOOST_AUTO_TEST_CASE(what_is_no_utf_8_becomes_visible) {
    BOOST_TEST(printable("\xFF\xFE") == "\\xff\\xfe");
    BOOST_TEST(printable("cut \xE2\x82") == "cut \\xe2\\x82");
    BOOST_TEST(printable("\xC0\x80") == "\\xc0\\x80");                                        // overlong
    BOOST_TEST(printable("\xED\xA0\x80 \xED\xBF\xBF") == "\\xed\\xa0\\x80 \\xed\\xbf\\xbf");  // surrogates
    BOOST_TEST(printable("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");                      // past U+10FFFF
    BOOST_TEST(printable("\xEF\xBF\xBE\xEF\xBF\xBF\xEF\xBF\xBD") == "\\xef\\xbf\\xbe\\xef\\xbf\\xbf\xEF\xBF\xBD");
}

BOOST_AUTO_TEST_CASE(xml_is_escaped_for_its_place) {
    const auto text = "a<b> & \"c\" 'd'\n\t]]>\x02"sv;
    BOOST_TEST(xml_text(text) == "a&lt;b&gt; &amp; \"c\" 'd'\n\t]]&gt;\\x02");
    BOOST_TEST(xml_attribute(text) == "a&lt;b&gt; &amp; &quot;c&quot; 'd'&#10;&#9;]]&gt;\\x02");
}

BOOST_AUTO_TEST_CASE(a_tail_begins_with_a_whole_line) {
    BOOST_TEST(tail_of("short", 5) == "short");
    BOOST_TEST(tail_of("first\nsecond\nthird", 9) == "[13 bytes left out]\nthird");
    BOOST_TEST(tail_of("onelongline", 4) == "[7 bytes left out]\nline");
    BOOST_TEST(tail_of("line\n", 1) == "[4 bytes left out]\n\n");
}

BOOST_AUTO_TEST_CASE(the_first_line_is_the_first_with_something_in_it) {
    BOOST_TEST(first_line("one\ntwo") == "one");
    BOOST_TEST(first_line("\r\n\none\r\ntwo") == "one");
    BOOST_TEST(first_line("\n\n").empty());
    BOOST_TEST(first_line("").empty());
}

BOOST_AUTO_TEST_SUITE_END()
