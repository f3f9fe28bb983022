// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/scratch_dir.hpp>
#include <vmdsl/qemu/image.hpp>

namespace {

namespace fs = std::filesystem;
using vmdsl::could_not_run;

/// A descriptor in a build folder, and the files that it names.
struct built_image {
    vmdsl::scratch_dir scratch{fs::temp_directory_path(), "image-test-" + std::to_string(::getpid())};
    fs::path build = scratch.path() / "build";
    fs::path descriptor = build / "vm-images/web.image.json";
    fs::path kernel = scratch.path() / "cache/inner/kernel";

    built_image() {
        fs::create_directories(descriptor.parent_path());
        fs::create_directories(kernel.parent_path());
        std::ofstream(kernel) << "kernel";
        std::ofstream(descriptor) << R"({"format": 1, "name": "web", "kernel": ")" << kernel.string() << R"("})";
    }

    [[nodiscard]] vmdsl::error_details problem() const {
        try {
            (void)vmdsl::load_image(descriptor.string());
        } catch (const could_not_run& problem) {
            return problem.details();
        }
        return {};
    }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(image)

BOOST_FIXTURE_TEST_CASE(what_is_there_is_read, built_image) {
    BOOST_TEST(vmdsl::load_image(descriptor.string()).kernel == kernel.string());
}

BOOST_FIXTURE_TEST_CASE(one_that_was_not_built_says_how_to_build_it, built_image) {
    fs::remove(descriptor);
    BOOST_TEST(problem().what_failed == "the image description " + descriptor.string() + " does not exist");
    BOOST_TEST(problem().hint == "Build the image first: cmake --build " + build.string() + " --target vm-image-web");
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_gone_says_how_to_build_it_again, built_image) {
    fs::remove(kernel);
    BOOST_TEST(problem().what_failed == descriptor.string() + ": the kernel " + kernel.string() + " does not exist");
    BOOST_TEST(problem().hint == "Build the image again: cmake --build " + build.string() + " --target vm-image-web");
}

BOOST_FIXTURE_TEST_CASE(a_file_that_is_closed_is_not_said_to_be_missing, built_image,
                        *boost::unit_test::precondition([](boost::unit_test::test_unit_id) {
                            boost::test_tools::assertion_result may_fail(::geteuid() != 0);
                            may_fail.message() << "root may read everything";
                            return may_fail;
                        })) {
    fs::permissions(kernel, fs::perms::none);
    BOOST_TEST(problem().what_failed ==
               descriptor.string() + ": the kernel " + kernel.string() + " can't be read: Permission denied");
    BOOST_TEST(problem().hint.find("may not read that file") != std::string::npos);

    const auto closed = scratch.path() / "cache";
    fs::permissions(closed, fs::perms::none);
    BOOST_TEST(problem().what_failed ==
               descriptor.string() + ": the kernel " + kernel.string() + " can't be read: Permission denied");
    BOOST_TEST(problem().hint.find("may not enter the folder " + closed.string() + ".") != std::string::npos);
    fs::permissions(closed, fs::perms::owner_all);
}

BOOST_AUTO_TEST_SUITE_END()
