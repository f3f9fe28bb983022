// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/qemu/key_names.hpp>

namespace {

using namespace vmdsl;
using words = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(key_names)

BOOST_AUTO_TEST_CASE(chords_are_taken_apart) {
    BOOST_TEST(keys_of("ctrl-alt-delete") == (words{"ctrl", "alt", "delete"}), boost::test_tools::per_element());
    BOOST_TEST(keys_of("enter") == words{"ret"}, boost::test_tools::per_element());
    BOOST_TEST(keys_of("f12") == words{"f12"}, boost::test_tools::per_element());
    for (const auto* bad : {"", "ctrl-", "-", "ctrl--a"}) {
        BOOST_CHECK_THROW((void)keys_of(bad), usage_error);
    }
}

BOOST_AUTO_TEST_CASE(every_printable_character_has_keys) {
    for (char c = ' '; c <= '~'; ++c) {
        BOOST_TEST(keys_for(c).has_value(), "no keys for " << c);
    }
    BOOST_TEST(keys_for('a').value() == words{"a"}, boost::test_tools::per_element());
    BOOST_TEST(keys_for('A').value() == (words{"shift", "a"}), boost::test_tools::per_element());
    BOOST_TEST(keys_for('"').value() == (words{"shift", "apostrophe"}), boost::test_tools::per_element());
    BOOST_TEST(keys_for('\n').value() == words{"ret"}, boost::test_tools::per_element());
    BOOST_TEST(!keys_for('\0').has_value());
    BOOST_TEST(!keys_for('\x1b').has_value());
    BOOST_TEST(!keys_for(static_cast<char>(0xe4)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
