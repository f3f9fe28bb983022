// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/coverage/counter_file.hpp>

using namespace vmdsl;
using namespace std::string_literals;

namespace {

// As GCC 12.2 wrote them: main ran once and looped twice, another function never ran.
const std::string notes = "oncg*22B\x18\xbf\xf2\x11\x44\xca\xd5\x36\0\0\0\0"s;
const std::string counters =
    "adcg*22B\x18\xbf\xf2\x11\x44\xca\xd5\x36"
    "\0\0\0\xa1\x08\0\0\0\x01\0\0\0\x01\0\0\0"
    "\0\0\0\x01\x0c\0\0\0\xb1\x82\x3a\x5b\x22\x92\xa6\xe3\xe8\xe9\x5d\xdb\0\0\xa1\x01\xf8\xff\xff\xff"
    "\0\0\0\x01\x0c\0\0\0\xeb\x72\x70\x06\x20\x58\x6e\xca\xdc\xdd\xb8\xaf"
    "\0\0\xa1\x01\x18\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"
    "\0\0\0\0"s;

}  // namespace

BOOST_AUTO_TEST_SUITE(coverage_counter_file)

BOOST_AUTO_TEST_CASE(whole_counters_of_the_same_build_are_good) {
    BOOST_TEST(counter_file_problem(counters, notes).empty());
}

BOOST_AUTO_TEST_CASE(every_cut_is_seen) {
    for (std::size_t length = 0; length < counters.size(); ++length) {
        BOOST_TEST(!counter_file_problem(counters.substr(0, length), notes).empty(), "cut after " << length);
    }
    BOOST_TEST(counter_file_problem(counters + "\0\0\0\0"s, notes) == "it is cut off");
}

BOOST_AUTO_TEST_CASE(what_a_crash_leaves_is_seen) {
    BOOST_TEST(counter_file_problem({}, notes) == "it is no file of counters");
    BOOST_TEST(counter_file_problem(std::string(counters.size(), '\0'), notes) == "it is no file of counters");
}

BOOST_AUTO_TEST_CASE(counts_are_told_from_zeros) {
    BOOST_TEST(has_counts(counters));
    auto zeros = counters;
    zeros[zeros.size() - 28] = '\0';
    zeros[zeros.size() - 12] = '\0';
    BOOST_TEST(counter_file_problem(zeros, notes).empty());
    BOOST_TEST(!has_counts(zeros));
}

BOOST_AUTO_TEST_CASE(another_build_is_seen) {
    auto other = counters;
    other[8] = '\x19';
    BOOST_TEST(counter_file_problem(other, notes) == "it was counted by another build");
}

BOOST_AUTO_TEST_CASE(older_compilers_are_refused) {
    auto old = counters;
    old[6] = '1';
    BOOST_TEST(counter_file_problem(old, notes) == "it comes from GCC 11; versions from 12 on are known");
}

BOOST_AUTO_TEST_CASE(damaged_notes_are_seen) {
    BOOST_TEST(counter_file_problem(counters, "oncg") == "its notes (.gcno) are damaged");
}

BOOST_AUTO_TEST_SUITE_END()
