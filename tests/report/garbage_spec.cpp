// SPDX-License-Identifier: BSL-1.0
// A spec whose messages, exceptions, consoles and names hold anything but text.
#include <array>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>

namespace {

std::mt19937 generator(20240501);

std::string garbage() {
    using namespace std::literals;
    static constexpr std::array pieces{"]]>"sv,          "<![CDATA["sv, "&amp;"sv,        "&#0;"sv,
                                       "\"'"sv,          "\r\n"sv,      "\r"sv,           "\n\n"sv,
                                       "\t"sv,           "\x1B[2J"sv,   "\xED\xA0\x80"sv, "\xEF\xBF\xBE"sv,
                                       "\xEF\xBF\xBF"sv, "\xC2\x85"sv,  "\xE2\x82\xAC"sv, "\xF0\x9F\x90\xA7"sv,
                                       "\\x00"sv,        "\xFF\xFE"sv,  "</failure>"sv,   "<!--"sv,
                                       "%s%n"sv,         "\\u0000"sv};
    std::string text;
    for (auto count = generator() % 40; count > 0; --count) {
        const auto choice = generator() % (pieces.size() + 20);
        if (choice < pieces.size()) {
            text += pieces[choice];
        } else {
            // No NUL: a C string can't hold one, and what() is one.
            text += static_cast<char>(generator() % 255 + 1);
        }
    }
    return text;
}

}  // namespace

BOOST_DATA_TEST_CASE(says_anything, boost::unit_test::data::xrange(60), number) {
    vmdsl::emit(vmdsl::event_kind::note, garbage(), {{"text", garbage()}});
    vmdsl::emit(vmdsl::event_kind::evidence, garbage(), {{"console", garbage() + '\0'}, {"console_file", garbage()}});
    BOOST_TEST_MESSAGE(garbage());
    BOOST_TEST_CONTEXT(garbage()) {
        BOOST_CHECK_MESSAGE(false, garbage());
    }
    std::fputs(garbage().c_str(), stdout);
    if (number % 2 == 0) {
        throw vmdsl::guest_error(garbage(), garbage());
    }
    throw std::runtime_error(garbage());
}
