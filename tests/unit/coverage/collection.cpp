// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/coverage/collection.hpp>

using namespace vmdsl;
using namespace std::string_literals;

namespace {

const std::string printed =
    "vmdsl-coverage 1\nflushed 12 apache2\nmissed 13 svnserve does-not-answer\nerror profiling:/x:Cannot open\n"
    "file 5 /coverage/a/b c.gcda\n12\n\0xfile 0 /coverage/a/d.gcda\nend 2\n"s;

}  // namespace

BOOST_AUTO_TEST_SUITE(coverage_collection)

BOOST_AUTO_TEST_CASE(files_and_processes_are_read) {
    const auto found = parse_collection(printed);
    BOOST_TEST(found.flushed == 1U);
    BOOST_REQUIRE(found.missed.size() == 1U);
    BOOST_TEST(found.missed[0] == "svnserve (process 13) does-not-answer");
    BOOST_REQUIRE(found.errors.size() == 1U);
    BOOST_TEST(found.errors[0] == "profiling:/x:Cannot open");
    BOOST_REQUIRE(found.files.size() == 2U);
    BOOST_TEST(found.files[0].path == "/coverage/a/b c.gcda");
    BOOST_TEST(found.files[0].content == "12\n\0x"s);
    BOOST_TEST(found.files[1].content.empty());
}

BOOST_AUTO_TEST_CASE(every_cut_is_seen_and_what_came_before_it_is_kept) {
    BOOST_TEST(parse_collection(printed).problem.empty());
    const auto end_of_first_file = printed.find("file 0");
    for (std::size_t length = 0; length + 1 < printed.size(); ++length) {
        const auto found = parse_collection(printed.substr(0, length));
        BOOST_TEST(!found.problem.empty(), "cut after " << length);
        BOOST_TEST(!found.files.empty() == (length >= end_of_first_file), "cut after " << length);
    }
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused) {
    for (const auto* text : {"", "vmdsl-coverage 2\nend 0\n", "vmdsl-coverage 1\nfile x /a\nend 1\n",
                             "vmdsl-coverage 1\nfile 99999999999999999999 /a\n", "vmdsl-coverage 1\nend 1\n",
                             "vmdsl-coverage 1\nend 0\nmore\n", "vmdsl-coverage 1\nwhat\nend 0\n"}) {
        BOOST_TEST(!parse_collection(text).problem.empty(), text);
    }
}

BOOST_AUTO_TEST_SUITE_END()
