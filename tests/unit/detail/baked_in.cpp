// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/baked_in.hpp>
#include <vmdsl/process/scratch_dir.hpp>

namespace {

using namespace vmdsl;

/// $PATH is one folder of our own.
struct own_path {
    own_path() { ::setenv("PATH", folder.path().c_str(), 1); }
    ~own_path() { ::setenv("PATH", before.c_str(), 1); }
    own_path(const own_path&) = delete;
    own_path& operator=(const own_path&) = delete;

    const std::string before = detail::environment_text("PATH");
    scratch_dir folder{std::filesystem::temp_directory_path(), "baked-in-" + detail::make_run_id()};
};

BOOST_FIXTURE_TEST_SUITE(baked_in, own_path)

BOOST_AUTO_TEST_CASE(without_a_built_one_the_prompts_program_is_looked_for_in_the_path) {
    BOOST_TEST(detail::prompt_program().empty());
    const auto program = folder.path() / "vmdsl";
    std::ofstream(program) << "x";
    BOOST_TEST(detail::prompt_program().empty());  // nobody may run it
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    BOOST_TEST(detail::prompt_program() == program.string());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
