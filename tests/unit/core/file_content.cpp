// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <filesystem>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/file_content.hpp>
#include <vmdsl/core/run_options.hpp>

namespace {

using namespace vmdsl;

BOOST_AUTO_TEST_SUITE(file_content)

BOOST_AUTO_TEST_CASE(what_was_written_is_read) {
    const auto file = current_run().scratch_directory / "content";
    const std::string bytes("\0\r\n\xff", 4);
    detail::write_content(file, bytes);
    BOOST_TEST(detail::content_of(file) == bytes);
    BOOST_TEST(detail::try_to_write_content(file, "") == 0);
    BOOST_TEST(detail::content_of(file).empty());
}

BOOST_AUTO_TEST_CASE(why_it_could_not_be_written_is_told) {
    const auto folder = current_run().scratch_directory;
    BOOST_TEST(detail::try_to_write_content("/dev/full", "x") == ENOSPC);
    BOOST_TEST(detail::try_to_write_content(folder / "no" / "file", "x") == ENOENT);
    BOOST_CHECK_EXCEPTION(detail::write_content(folder, "x", "Do this."), could_not_run, [](const could_not_run& e) {
        return e.details().what_failed.ends_with(": Is a directory") && e.details().hint == "Do this.";
    });
    BOOST_CHECK_THROW((void)detail::content_of(folder / "none"), could_not_run);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
