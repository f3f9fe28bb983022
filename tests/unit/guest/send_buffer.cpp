// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/send_buffer.hpp>

using vmdsl::send_buffer;

BOOST_AUTO_TEST_SUITE(send_buffer_test)

BOOST_AUTO_TEST_CASE(what_goes_in_comes_out_in_order) {
    send_buffer buffer;
    BOOST_TEST(buffer.empty());
    buffer.append("one ");
    buffer.append("two ");
    BOOST_TEST(buffer.view() == "one two ");
    buffer.drop(2);
    buffer.append("three");
    BOOST_TEST(buffer.view() == "e two three");
    buffer.drop(10);
    BOOST_TEST(buffer.view() == "e");
    buffer.drop(1);
    BOOST_TEST(buffer.empty());
    buffer.append("again");
    BOOST_TEST(buffer.view() == "again");
    buffer.clear();
    BOOST_TEST(buffer.empty());
    BOOST_TEST(buffer.view().empty());
}

BOOST_AUTO_TEST_CASE(any_sizes_of_pieces_keep_the_bytes) {
    std::string expected;
    std::string got;
    send_buffer buffer;
    for (std::size_t round = 1; round < 300; ++round) {
        const std::string piece(round * 7 % 50, static_cast<char>('a' + round % 26));
        expected += piece;
        buffer.append(piece);
        const auto taken = std::min(buffer.view().size(), round * 13 % 40);
        got += buffer.view().substr(0, taken);
        buffer.drop(taken);
    }
    got += buffer.view();
    BOOST_TEST(got == expected);
}

BOOST_AUTO_TEST_SUITE_END()
