// SPDX-License-Identifier: BSL-1.0
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/console_log.hpp>

using vmdsl::console_log;

BOOST_AUTO_TEST_SUITE(console_log_test)

BOOST_AUTO_TEST_CASE(the_tail_is_the_last_lines_and_what_is_unfinished) {
    console_log log;
    BOOST_TEST(!log.feed("one\r\ntwo\r\nthr").has_value());
    BOOST_TEST(!log.feed("ee").has_value());
    BOOST_TEST(log.tail() == "one\ntwo\nthree");
    BOOST_TEST(log.tail(1) == "two\nthree");
}

BOOST_AUTO_TEST_CASE(a_start_begins_on_a_line_of_its_own) {
    console_log log;
    (void)log.feed("one\ncut o");
    log.end_unfinished_line();
    log.end_unfinished_line();
    (void)log.feed("two\n");
    BOOST_TEST(log.tail() == "one\ncut o\ntwo\n");
}

BOOST_AUTO_TEST_CASE(a_panic_is_reported_once_even_where_it_comes_in_pieces) {
    console_log log;
    (void)log.feed("[ 1.0] vmdsl: the root image is broken\n[ 1.1] something else\n[ 1.2] Kernel pa");
    const auto panic = log.feed("nic - not syncing: Attempted to kill init!\n");
    BOOST_REQUIRE(panic.has_value());
    BOOST_TEST(*panic == "[ 1.2] Kernel panic - not syncing: Attempted to kill init!");
    BOOST_TEST(log.panic_text().find("the root image is broken") != std::string::npos);
    BOOST_TEST(!log.feed("Kernel panic - not syncing: again\n").has_value());
    log.restart();
    BOOST_TEST(log.feed("Kernel panic - not syncing: after a restart\n").has_value());
}

BOOST_AUTO_TEST_CASE(an_endless_guest_takes_bounded_memory) {
    console_log log;
    for (int i = 0; i < 300; ++i) {
        (void)log.feed(std::string(100000, 'x'));
    }
    BOOST_TEST(log.tail(console_log::max_lines * 2).size() <=
               (console_log::max_line + 1) * (console_log::max_lines + 1));
    (void)log.feed("\nKernel panic - not syncing: x\n");
    for (int i = 0; i < 2000; ++i) {
        (void)log.feed("more\n");
    }
    BOOST_TEST(!log.panic_text().empty());
}

BOOST_AUTO_TEST_SUITE_END()
