// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <vmdsl/coverage/line_counts.hpp>

using namespace vmdsl;

BOOST_AUTO_TEST_SUITE(coverage_line_counts)

BOOST_AUTO_TEST_CASE(counts_of_two_machines_add_up) {
    line_counts all{{"/a.c", {{{1, 2}, {3, 0}}, {{"f", {1, 2}}}}}};
    add(all, {{"/a.c", {{{3, 5}, {4, 0}}, {{"f", {1, 1}}}}}, {"/b.c", {{{9, 1}}, {}}}});
    BOOST_TEST(all["/a.c"].lines[1] == 2U);
    BOOST_TEST(all["/a.c"].lines[3] == 5U);
    BOOST_TEST(all["/a.c"].lines.size() == 3U);
    BOOST_TEST(all["/a.c"].lines_run() == 2U);
    BOOST_TEST(all["/a.c"].functions["f"].runs == 3U);
    BOOST_TEST(all["/b.c"].lines_run() == 1U);
}

BOOST_AUTO_TEST_CASE(a_tracefile_is_what_lcov_reads) {
    const line_counts counts{{"/a.c", {{{1, 2}, {3, 0}}, {{"f", {1, 2}}, {"g", {3, 0}}}}}};
    BOOST_TEST(to_tracefile("web-1, case/x", counts) ==
               "TN:web_1__case_x\nSF:/a.c\nFN:1,f\nFN:3,g\nFNDA:2,f\nFNDA:0,g\nFNF:2\nFNH:1\n"
               "DA:1,2\nDA:3,0\nLF:2\nLH:1\nend_of_record\n");
}

BOOST_AUTO_TEST_SUITE_END()
