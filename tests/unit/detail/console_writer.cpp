// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/console_writer.hpp>

using vmdsl::detail::console_writer;

namespace {

struct folder {
    std::filesystem::path path = vmdsl::current_run().scratch_directory / "console.log";

    folder() { std::filesystem::remove(path); }

    [[nodiscard]] std::string content() const {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }
};

constexpr const char* last_line = "\n--- vmdsl: the rest was left out, this file has reached its limit of 1 MiB ---\n";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(console_writer_test, folder)

BOOST_AUTO_TEST_CASE(keeps_what_is_written) {
    console_writer file(path);
    file.append("one\n");
    file.append("two\n");
    console_writer again(path);
    again.append("three\n");
    BOOST_TEST(content() == "one\ntwo\nthree\n");
    BOOST_TEST(file.path() == path);
}

BOOST_AUTO_TEST_CASE(each_start_of_a_machine_begins_on_a_line_of_its_own) {
    console_writer file(path);
    const auto first = file.begin_part("web/serves, switched on");
    file.append("[ 1.0] panic+0x");
    console_writer again(path);
    const auto second = again.begin_part("web/own_crash, restored");
    BOOST_TEST(std::filesystem::file_size(path) == second);
    again.append("[ 23.7] sysrq\n");
    (void)again.begin_part("restored");
    const std::string before = "--- web/serves, switched on ---\n";
    BOOST_TEST(first == before.size());
    BOOST_TEST(content() ==
               before + "[ 1.0] panic+0x\n--- web/own_crash, restored ---\n[ 23.7] sysrq\n--- restored ---\n");
}

BOOST_AUTO_TEST_CASE(a_start_after_the_limit_says_that_its_words_are_left_out) {
    constexpr std::size_t limit = 1U << 20U;
    console_writer file(path, limit);
    file.append(std::string(limit, 'x'));
    const auto begin = file.begin_part("restored");
    file.append("lost");
    BOOST_TEST(content().substr(begin) == std::string(last_line).substr(1));
}

BOOST_AUTO_TEST_CASE(a_guest_that_prints_for_ever_fills_nothing) {
    constexpr std::size_t limit = 1U << 20U;
    console_writer file(path, limit);
    file.append(std::string(limit - 3, 'x'));
    file.append("abcdef");
    const auto full = std::string(limit - 3, 'x') + "abc" + last_line;
    BOOST_TEST((content() == full));
    file.append("more");
    console_writer(path, limit).append("and more");
    BOOST_TEST((content() == full));
}

BOOST_AUTO_TEST_CASE(a_limit_that_is_met_exactly_is_said_once) {
    constexpr std::size_t limit = 1U << 20U;
    console_writer file(path, limit);
    file.append(std::string(limit, 'x'));
    file.append("x");
    BOOST_TEST((content() == std::string(limit, 'x') + last_line));
}

BOOST_AUTO_TEST_CASE(a_file_that_can_not_be_opened_is_none) {
    console_writer file("/proc/no/such/file");
    BOOST_TEST(file.begin_part("restored") == 0U);
    file.append("lost");
    BOOST_TEST(!std::filesystem::exists(file.path()));
}

BOOST_AUTO_TEST_SUITE_END()
