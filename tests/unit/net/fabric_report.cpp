// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <vmdsl/net/fabric_report.hpp>

BOOST_AUTO_TEST_SUITE(fabric_report_test)

BOOST_AUTO_TEST_CASE(what_was_forwarded_is_not_lost) {
    BOOST_TEST((vmdsl::drain_report{7, 0, {}, {}}).losses().empty());
}

BOOST_AUTO_TEST_CASE(losses_are_counted_and_say_whose_they_are) {
    BOOST_TEST((vmdsl::drain_report{7, 3, {}, {}}).losses() == "3 frames that their readers had not taken");
    const vmdsl::drain_report everything{0, 1, {{"alice", "lan"}, {"bob", "dmz"}}, {{"carol", "lan"}}};
    BOOST_TEST(everything.losses() ==
               "1 frames that their readers had not taken; a part of a frame of alice on lan, bob on dmz; "
               "what comes from carol on lan, which did not stop sending");
}

BOOST_AUTO_TEST_SUITE_END()
