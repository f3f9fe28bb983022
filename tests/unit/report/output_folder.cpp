// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/report/output_folder.hpp>

namespace {

namespace fs = std::filesystem;
using namespace vmdsl;

fs::path place(const std::string& name) {
    return current_run().scratch_directory / name;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(output_folder_)

BOOST_AUTO_TEST_CASE(is_made_with_its_parents) {
    const output_folder folder(place("made") / "a" / "b");
    BOOST_TEST(folder.path() == place("made") / "a" / "b");
    BOOST_TEST(fs::is_directory(folder.path()));
}

BOOST_AUTO_TEST_CASE(each_run_has_its_own) {
    std::optional<output_folder> first(std::in_place, place("shared/"));
    const output_folder second(place("shared"));
    const output_folder third(place("shared"));
    BOOST_TEST(first->path() == place("shared"));
    BOOST_TEST(first->wanted() == place("shared"));
    BOOST_TEST(second.wanted() == place("shared"));
    BOOST_TEST(second.path() == place("shared.2"));
    BOOST_TEST(third.path() == place("shared.3"));
    first.reset();
    BOOST_TEST(output_folder(place("shared")).path() == place("shared"));
}

BOOST_AUTO_TEST_CASE(is_refused_where_it_cannot_be_made) {
    std::ofstream(place("a-file")) << "bytes";
    for (const auto& wrong : {place("a-file"), place("a-file") / "inner", fs::path("/proc/nowhere")}) {
        BOOST_CHECK_EXCEPTION(output_folder{wrong}, could_not_run, [&](const could_not_run& e) {
            return e.details().what_failed.find(wrong.string()) != std::string::npos &&
                   e.details().hint.find("--output") != std::string::npos;
        });
    }
}

BOOST_AUTO_TEST_SUITE_END()
