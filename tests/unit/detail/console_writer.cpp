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
    file.append("lost");
    BOOST_TEST(!std::filesystem::exists(file.path()));
}

BOOST_AUTO_TEST_SUITE_END()
