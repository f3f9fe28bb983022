// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>

namespace {

namespace fs = std::filesystem;
using namespace vmdsl;

fs::path fresh(const std::string& name) {
    return current_run().scratch_directory / name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run_options_)

BOOST_AUTO_TEST_CASE(a_process_without_a_supervisor_gets_folders_of_its_own) {
    const auto& run = current_run();
    BOOST_TEST(&run == &current_run());
    struct stat found {};
    BOOST_REQUIRE(::stat(run.scratch_directory.c_str(), &found) == 0);
    BOOST_TEST((found.st_mode & 0777U) == 0700U);
    BOOST_TEST(run.scratch_directory.filename().string().starts_with(detail::scratch_prefix()));
    BOOST_TEST(fs::is_directory(run.output_directory));
    BOOST_TEST(run.output_directory.parent_path() == run.scratch_directory);
}

BOOST_AUTO_TEST_CASE(the_private_folder_goes_with_its_owner_but_not_with_a_forked_child) {
    fs::path folder;
    {
        detail::private_scratch scratch;
        folder = scratch.folder();
        std::ofstream(folder / "file") << "bytes";
        const pid_t child = ::fork();
        if (child == 0) {
            scratch.~private_scratch();
            ::_exit(0);
        }
        ::waitpid(child, nullptr, 0);
        BOOST_TEST(fs::exists(folder / "file"));
    }
    BOOST_TEST(!fs::exists(folder));
}

BOOST_AUTO_TEST_CASE(seconds_are_whole_and_not_negative) {
    BOOST_TEST(detail::parse_seconds("x", "0").count() == 0);
    BOOST_TEST(detail::parse_seconds("x", "3600").count() == 3600);
    for (const auto* wrong : {"", "-1", "1.5", "1s", " 1", "soon", "99999999999"}) {
        BOOST_CHECK_EXCEPTION(
            static_cast<void>(detail::parse_seconds("--case-timeout", wrong)), usage_error,
            [](const usage_error& e) { return e.details().what_failed.starts_with("--case-timeout"); });
    }
}

BOOST_AUTO_TEST_CASE(acceleration_is_one_of_three) {
    for (const auto* right : {"auto", "kvm", "tcg"}) {
        BOOST_TEST(detail::parse_acceleration("x", right) == right);
    }
    BOOST_CHECK_THROW(static_cast<void>(detail::parse_acceleration("x", "")), usage_error);
    BOOST_CHECK_THROW(static_cast<void>(detail::parse_acceleration("x", "KVM")), usage_error);
}

BOOST_AUTO_TEST_CASE(run_ids_differ_and_fit_into_names) {
    std::set<std::string> seen;
    for (int i = 0; i < 100; ++i) {
        const auto id = detail::make_run_id();
        BOOST_TEST(id.size() == 12U);
        BOOST_TEST(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos);
        seen.insert(id);
    }
    BOOST_TEST(seen.size() == 100U);
}

BOOST_AUTO_TEST_CASE(a_locked_folder_is_private_and_can_be_shared_by_its_own_run) {
    const auto folder = fresh("locked");
    const int first = detail::make_locked_folder(folder);
    const int second = detail::make_locked_folder(folder);
    BOOST_TEST((fs::status(folder).permissions() == fs::perms::owner_all));
    BOOST_TEST((::fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
    const int other = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    BOOST_TEST(::flock(other, LOCK_EX | LOCK_NB) != 0);
    ::close(first);
    BOOST_TEST(::flock(other, LOCK_EX | LOCK_NB) != 0);
    ::close(second);
    BOOST_TEST(::flock(other, LOCK_EX | LOCK_NB) == 0);
    ::close(other);
}

BOOST_AUTO_TEST_CASE(a_locked_folder_is_never_one_that_others_may_use) {
    const auto open_to_all = fresh("open");
    fs::create_directory(open_to_all);
    fs::permissions(open_to_all, fs::perms::all);
    BOOST_CHECK_THROW(static_cast<void>(detail::make_locked_folder(open_to_all)), could_not_run);
    const auto link = fresh("link");
    fs::create_symlink("/", link);
    BOOST_CHECK_THROW(static_cast<void>(detail::make_locked_folder(link)), could_not_run);
    BOOST_CHECK_THROW(static_cast<void>(detail::make_locked_folder(fresh("no") / "such" / "parent")), could_not_run);
}

BOOST_AUTO_TEST_CASE(a_folder_that_was_replaced_is_told_from_its_successor) {
    const auto folder = fresh("replaced");
    const int fd = detail::make_locked_folder(folder);
    BOOST_TEST(detail::is_still_at(fd, folder));
    fs::rename(folder, fresh("elsewhere"));
    BOOST_TEST(!detail::is_still_at(fd, folder));
    fs::create_directory(folder);
    BOOST_TEST(!detail::is_still_at(fd, folder));
    ::close(fd);
}

BOOST_AUTO_TEST_CASE(a_tree_is_removed_with_folders_that_nobody_may_enter) {
    const auto outside = fresh("outside");
    fs::create_directory(outside);
    std::ofstream(outside / "precious") << "bytes";
    const auto tree = fresh("tree");
    fs::create_directories(tree / "a" / "b");
    std::ofstream(tree / "a" / "b" / "file") << "bytes";
    fs::create_symlink(outside, tree / "a" / "link");
    fs::permissions(tree / "a" / "b", fs::perms::none);
    fs::permissions(tree / "a", fs::perms::none);
    BOOST_TEST(detail::remove_tree(tree));
    BOOST_TEST(!fs::exists(tree));
    BOOST_TEST(fs::exists(outside / "precious"));
    BOOST_TEST(detail::remove_tree(tree));  // what is gone is removed
}

BOOST_AUTO_TEST_SUITE_END()
