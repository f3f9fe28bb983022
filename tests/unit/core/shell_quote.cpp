// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/shell_quote.hpp>

BOOST_AUTO_TEST_SUITE(shell_quote)

BOOST_AUTO_TEST_CASE(harmless_words_stay_bare) {
    for (const std::string word : {"svn", "http://webserver/repos/demo", "/tmp/a.b-c_d", "user@host:22", "50%", "-v"}) {
        BOOST_TEST(vmdsl::shell_quoted(word) == word);
    }
}

BOOST_AUTO_TEST_CASE(everything_else_is_quoted) {
    BOOST_TEST(vmdsl::shell_quoted("") == "''");
    BOOST_TEST(vmdsl::shell_quoted("a b") == "'a b'");
    BOOST_TEST(vmdsl::shell_quoted("it's") == "'it'\\''s'");
    BOOST_TEST(vmdsl::shell_quoted("$(reboot)") == "'$(reboot)'");
    BOOST_TEST(vmdsl::shell_quoted("a\nb") == "'a\nb'");
    BOOST_TEST(vmdsl::shell_quoted("\xC3\xBC") == "'\xC3\xBC'");
}

BOOST_AUTO_TEST_CASE(words_that_would_be_syntax_in_some_places_are_quoted) {
    for (const std::string word : {"if", "done", "case", "time", "PATH=x", "~root", "a,b", "1..3", "!", "#x"}) {
        BOOST_TEST(vmdsl::shell_quoted(word) == "'" + word + "'");
    }
}

BOOST_AUTO_TEST_CASE(a_nul_byte_is_refused_and_leaves_the_text_alone) {
    std::string out = "echo ";
    BOOST_CHECK_THROW(vmdsl::append_shell_quoted(out, std::string_view("a\0b", 3)), vmdsl::usage_error);
    BOOST_TEST(out == "echo ");
}

BOOST_AUTO_TEST_SUITE_END()
