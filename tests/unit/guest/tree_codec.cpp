// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/tree_codec.hpp>

namespace {

using namespace vmdsl;

/// Writes down what a decoder tells of.
struct protocol {
    std::vector<tree_entry> entries;
    std::vector<std::string> files;
    tree_decoder decoder{{[this](const tree_entry& entry) {
                              entries.push_back(entry);
                              if (S_ISREG(entry.mode)) {
                                  files.emplace_back();
                              }
                          },
                          [this](std::string_view bytes) { files.back() += bytes; },
                          [this] { files.back() += "<end>"; }}};
};

std::string small_tree() {
    std::string bytes;
    append_tree_entry(bytes, {"", S_IFDIR | 0755, {}});
    append_tree_entry(bytes, {"a", S_IFREG | 0640, {}});
    append_tree_content(bytes, "one ");
    append_tree_content(bytes, "two");
    append_tree_content(bytes, "");
    append_tree_entry(bytes, {"empty", S_IFREG | 0600, {}});
    append_tree_content(bytes, "");
    append_tree_entry(bytes, {"link", S_IFLNK, "a"});
    return bytes;
}

BOOST_AUTO_TEST_SUITE(tree_codec_test)

BOOST_AUTO_TEST_CASE(what_is_put_in_comes_out_however_it_is_cut) {
    const auto bytes = small_tree();
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{7}, bytes.size()}) {
        protocol got;
        for (std::size_t at = 0; at < bytes.size(); at += piece) {
            got.decoder.feed(std::string_view(bytes).substr(at, piece));
        }
        BOOST_TEST(got.decoder.at_boundary());
        BOOST_REQUIRE(got.entries.size() == 4U);
        BOOST_TEST((got.entries[1] == tree_entry{"a", S_IFREG | 0640, {}}));
        BOOST_TEST((got.entries[3] == tree_entry{"link", S_IFLNK, "a"}));
        BOOST_TEST(got.files == (std::vector<std::string>{"one two<end>", "<end>"}), boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(a_cut_tree_is_not_at_a_boundary) {
    const auto bytes = small_tree();
    std::string until_file_begins;
    append_tree_entry(until_file_begins, {"", S_IFDIR | 0755, {}});
    append_tree_entry(until_file_begins, {"a", S_IFREG | 0640, {}});
    for (const auto length : {std::size_t{2}, until_file_begins.size(), until_file_begins.size() + 6}) {
        protocol got;
        got.decoder.feed(std::string_view(bytes).substr(0, length));
        BOOST_TEST(!got.decoder.at_boundary());
    }
}

BOOST_AUTO_TEST_CASE(a_piece_that_is_too_long_is_refused_before_it_comes) {
    protocol got;
    BOOST_CHECK_THROW(got.decoder.feed(std::string("\xff\xff\xff\x7f", 4)), guest_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
