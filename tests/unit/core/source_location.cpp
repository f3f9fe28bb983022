// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/source_location.hpp>

namespace {

vmdsl::source_location called(vmdsl::source_location where = vmdsl::source_location::current()) {
    return where;
}

struct checked_argument {
    vmdsl::source_location where;
    consteval checked_argument(int, vmdsl::source_location at = vmdsl::source_location::current()) : where(at) {}
};

vmdsl::source_location place_of(checked_argument argument) {
    return argument.where;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(source_location)

BOOST_AUTO_TEST_CASE(a_default_argument_knows_the_call) {
    const auto line = called().line();
    BOOST_TEST(line == static_cast<unsigned>(__LINE__ - 1));
    BOOST_TEST(std::string_view(called().file()).ends_with("source_location.cpp"));
}

BOOST_AUTO_TEST_CASE(so_does_the_constructor_of_a_checked_argument) {
    const auto where = place_of(1);
    BOOST_TEST(where.line() == static_cast<unsigned>(__LINE__ - 1));
    BOOST_TEST(std::string_view(where.file()).ends_with("source_location.cpp"));
}

BOOST_AUTO_TEST_CASE(as_text_it_is_file_and_line) {
    const auto where = vmdsl::source_location::current("specs/subversion.cpp", 12);
    BOOST_TEST(to_string(where) == "specs/subversion.cpp:12");
}

BOOST_AUTO_TEST_CASE(an_unknown_place_renders_as_nothing) {
    BOOST_TEST(to_string(vmdsl::source_location()) == "");
}

BOOST_AUTO_TEST_SUITE_END()
