// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/report/line_splitter.hpp>

namespace {

using lines = std::vector<std::string>;

lines feed(vmdsl::line_splitter& splitter, std::string_view bytes) {
    lines result;
    splitter.feed(bytes, [&](std::string_view line) { result.emplace_back(line); });
    return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(line_splitter_)

BOOST_AUTO_TEST_CASE(lines_are_the_same_however_the_bytes_arrive) {
    const std::string_view text = "one\n\ntwo\nthree\ncut off";
    const lines expected{"one", "", "two", "three"};
    for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
        vmdsl::line_splitter splitter(100);
        lines result;
        for (std::size_t at = 0; at < text.size(); at += chunk) {
            for (const auto& line : feed(splitter, text.substr(at, chunk))) {
                result.push_back(line);
            }
        }
        BOOST_TEST(result == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_line_that_is_too_long_is_dropped_alone) {
    vmdsl::line_splitter splitter(4);
    BOOST_TEST(feed(splitter, "abcd\nabcde\nok\n") == (lines{"abcd", "ok"}), boost::test_tools::per_element());
    BOOST_TEST(feed(splitter, "123").empty());
    BOOST_TEST(feed(splitter, "45").empty());
    BOOST_TEST(feed(splitter, "6\nend\n") == lines{"end"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
