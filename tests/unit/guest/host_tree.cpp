// SPDX-License-Identifier: BSL-1.0
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include <stdlib.h>
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/guest/host_tree.hpp>
#include <vmdsl/process/scratch_dir.hpp>

namespace {

using namespace vmdsl;
namespace fs = std::filesystem;

struct folder {
    folder() {
        fs::create_directory(base / "in");
        std::ofstream(base / "outside") << "untouched";
    }

    [[nodiscard]] fs::path in() const { return base / "in"; }
    [[nodiscard]] fs::path out() const { return base / "out"; }

    void write(const fs::path& name, std::string_view content, unsigned mode = 0644) const {
        std::ofstream(in() / name, std::ios::binary) << content;
        fs::permissions(in() / name, fs::perms{mode});
    }

    scratch_dir scratch{fs::temp_directory_path(), "host-tree-" + detail::make_run_id()};
    fs::path base = scratch.path();
};

std::string content_of(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode_of(const fs::path& path) {
    struct stat status {};
    BOOST_REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

std::string tree_of(const fs::path& path) {
    host_tree_reader reader(path);
    std::string all;
    for (auto bytes = reader.next(); !bytes.empty(); bytes = reader.next()) {
        all += bytes;
    }
    return all;
}

/// What a hostile guest sends: entries of its choice below a folder.
std::string hostile_tree(std::initializer_list<tree_entry> entries) {
    std::string bytes;
    append_tree_entry(bytes, {"", S_IFDIR | 0755, {}});
    for (const auto& entry : entries) {
        append_tree_entry(bytes, entry);
        if (S_ISREG(entry.mode)) {
            append_tree_content(bytes, "evil");
            append_tree_content(bytes, "");
        }
    }
    return bytes;
}

BOOST_FIXTURE_TEST_SUITE(host_tree_test, folder)

BOOST_AUTO_TEST_CASE(a_tree_comes_through_with_modes_and_links) {
    fs::create_directories(in() / "deep/er");
    write("plain", "x");
    write("deep/script", "#!/bin/sh\n", 0751);
    write("deep/er/large", std::string(200'000, 'y'), 0400);
    write("empty", "");
    fs::create_symlink("deep/script", in() / "link");
    fs::create_symlink("../plain", in() / "deep/up");
    fs::permissions(in() / "deep/er", fs::perms{0555});
    const auto bytes = tree_of(in());
    fs::permissions(in() / "deep/er", fs::perms{0755});

    host_tree_writer writer(out());
    for (std::size_t at = 0; at < bytes.size(); at += 1000) {
        writer.take(std::string_view(bytes).substr(at, 1000));
    }
    writer.finish();
    BOOST_TEST(content_of(out() / "plain") == "x");
    BOOST_TEST(content_of(out() / "deep/er/large") == std::string(200'000, 'y'));
    BOOST_TEST(content_of(out() / "empty").empty());
    BOOST_TEST(mode_of(out() / "deep/script") == 0751U);
    BOOST_TEST(mode_of(out() / "deep/er/large") == 0400U);
    BOOST_TEST(mode_of(out() / "deep/er") == 0555U);
    BOOST_TEST(fs::read_symlink(out() / "link") == "deep/script");
    BOOST_TEST(fs::read_symlink(out() / "deep/up") == "../plain");
    BOOST_TEST(writer.summary().left_out_count == 0U);
    fs::permissions(out() / "deep/er", fs::perms{0755});
}

BOOST_AUTO_TEST_CASE(a_single_file_gets_the_name_that_was_asked_for) {
    write("plain", "new");
    std::ofstream(out()) << "old, and longer";
    host_tree_writer writer(out());
    writer.take(tree_of(in() / "plain"));
    writer.finish();
    BOOST_TEST(content_of(out()) == "new");
    BOOST_TEST(std::distance(fs::directory_iterator(base), {}) == 3);  // nothing beside it
}

BOOST_AUTO_TEST_CASE(a_folder_is_added_to) {
    write("plain", "new");
    fs::create_directory(out());
    std::ofstream(out() / "kept") << "kept";
    std::ofstream(out() / "plain") << "old";
    host_tree_writer writer(out());
    writer.take(tree_of(in()));
    writer.finish();
    BOOST_TEST(content_of(out() / "kept") == "kept");
    BOOST_TEST(content_of(out() / "plain") == "new");
}

BOOST_AUTO_TEST_CASE(folders_that_may_not_be_written_to_are_added_to_as_well) {
    for (const unsigned mode : {0555U, 0311U, 0000U}) {
        std::string bytes;
        append_tree_entry(bytes, {"", S_IFDIR | mode, {}});
        append_tree_entry(bytes, {"deep", S_IFDIR | mode, {}});
        append_tree_entry(bytes, {"deep/er", S_IFDIR | mode, {}});
        append_tree_entry(bytes, {"deep/er/file", S_IFREG | 0444U, {}});
        append_tree_content(bytes, "x");
        append_tree_content(bytes, "");
        for (int time = 0; time < 2; ++time) {
            host_tree_writer writer(out());
            writer.take(bytes);
            writer.finish();
            BOOST_TEST(mode_of(out()) == mode);
        }
        fs::permissions(out(), fs::perms{0755});
        BOOST_TEST(mode_of(out() / "deep") == mode);
        fs::permissions(out() / "deep", fs::perms{0755});
        BOOST_TEST(mode_of(out() / "deep/er") == mode);
        fs::permissions(out() / "deep/er", fs::perms{0755});
        BOOST_TEST(content_of(out() / "deep/er/file") == "x");
        fs::remove_all(out());
    }
}

BOOST_AUTO_TEST_CASE(a_copy_that_is_cut_off_leaves_folders_their_modes) {
    fs::create_directories(out() / "deep");
    fs::permissions(out() / "deep", fs::perms{0555});
    fs::permissions(out(), fs::perms{0511});
    std::string bytes;
    append_tree_entry(bytes, {"", S_IFDIR | 0700, {}});
    append_tree_entry(bytes, {"deep", S_IFDIR | 0700, {}});
    append_tree_entry(bytes, {"deep/file", S_IFREG | 0444U, {}});
    host_tree_writer(out()).take(bytes);
    BOOST_TEST(mode_of(out()) == 0511U);
    BOOST_TEST(mode_of(out() / "deep") == 0555U);
    fs::permissions(out(), fs::perms{0755});
    fs::permissions(out() / "deep", fs::perms{0755});
}

// Nothing is kept of a folder that is complete, and no path is longer than the host's can be.
BOOST_AUTO_TEST_CASE(memory_is_bounded) {
    host_tree_writer writer(out());
    writer.take(hostile_tree({{"a", S_IFDIR | 0500, {}}, {"a/b", S_IFDIR | 0711, {}}, {"ab", S_IFREG | 0644, {}}}));
    BOOST_TEST(mode_of(out() / "a") == 0500U);
    BOOST_TEST(mode_of(out() / "a/b") == 0711U);
    host_tree_writer second(out());
    BOOST_CHECK_EXCEPTION(
        second.take(hostile_tree({{std::string(5000, 'x'), S_IFDIR | 0755, {}}})), guest_error,
        [](const guest_error& e) { return std::string_view(e.what()).find("longer than paths") != std::string::npos; });
}

BOOST_AUTO_TEST_CASE(no_name_leads_out) {
    for (const auto* name : {"../outside", "/outside", "a/../../outside", "..", ".", "a//b", "a/", ""}) {
        host_tree_writer writer(out());
        BOOST_CHECK_THROW(writer.take(hostile_tree({{name, S_IFREG | 0644, {}}})), guest_error);
    }
    host_tree_writer writer(out());
    BOOST_CHECK_THROW(writer.take(hostile_tree({{std::string("a\0b", 3), S_IFREG | 0644, {}}})), guest_error);
    BOOST_TEST(content_of(base / "outside") == "untouched");
}

BOOST_AUTO_TEST_CASE(no_link_is_followed) {
    host_tree_writer writer(out());
    fs::create_directory(out());
    fs::create_directory_symlink(base, out() / "there");  // even where the host made it
    BOOST_CHECK_THROW(writer.take(hostile_tree({{"there/outside", S_IFREG | 0644, {}}})), usage_error);
    BOOST_TEST(content_of(base / "outside") == "untouched");
    host_tree_writer second(out());
    fs::create_symlink(base / "outside", out() / "file");
    second.take(hostile_tree({{"file", S_IFREG | 0644, {}}}));
    second.finish();
    BOOST_TEST(content_of(base / "outside") == "untouched");
    BOOST_TEST(content_of(out() / "file") == "evil");
}

BOOST_AUTO_TEST_CASE(no_link_leads_out) {
    host_tree_writer writer(out());
    writer.take(hostile_tree({{"a", S_IFDIR | 0755, {}},
                              {"absolute", S_IFLNK, "/etc/passwd"},
                              {"up", S_IFLNK, "../outside"},
                              {"a/up_twice", S_IFLNK, "../../outside"},
                              {"a/fine", S_IFLNK, "../inside"},
                              {"a/here", S_IFLNK, "."},
                              {"winding", S_IFLNK, "a/fine/../../outside"},
                              {"nowhere", S_IFLNK, ""}}));
    writer.finish();
    BOOST_TEST(writer.summary().left_out_count == 5U);
    BOOST_TEST(fs::is_symlink(out() / "a/fine"));
    BOOST_TEST(fs::is_symlink(out() / "a/here"));
    BOOST_TEST(!fs::is_symlink(out() / "absolute"));
    BOOST_TEST(!fs::is_symlink(out() / "winding"));
    BOOST_TEST(!fs::is_symlink(out() / "a/up_twice"));
}

BOOST_AUTO_TEST_CASE(devices_and_the_bits_of_other_users_are_not_made) {
    host_tree_writer writer(out());
    writer.take(hostile_tree({{"disk", S_IFBLK | 0666, {}}, {"suid", S_IFREG | 06755, {}}}));
    writer.finish();
    BOOST_TEST(!fs::exists(out() / "disk"));
    BOOST_TEST(mode_of(out() / "suid") == 0755U);
    BOOST_REQUIRE(writer.summary().left_out.size() == 1U);
    BOOST_TEST(writer.summary().left_out[0] == "disk (a device)");
}

BOOST_AUTO_TEST_CASE(entries_in_no_order_are_refused) {
    std::string twice;
    append_tree_entry(twice, {"", S_IFDIR | 0755, {}});
    append_tree_entry(twice, {"", S_IFDIR | 0755, {}});
    host_tree_writer writer(out());
    BOOST_CHECK_THROW(writer.take(twice), guest_error);
    std::string rootless;
    append_tree_entry(rootless, {"a", S_IFREG | 0644, {}});
    host_tree_writer second(out());
    BOOST_CHECK_THROW(second.take(rootless), guest_error);
    host_tree_writer third(out());
    BOOST_CHECK_THROW(third.finish(), guest_error);
}

BOOST_AUTO_TEST_CASE(what_is_in_the_way_is_named) {
    write("plain", "x");
    fs::create_directories(out() / "plain");
    host_tree_writer writer(out());
    BOOST_CHECK_EXCEPTION(writer.take(tree_of(in())), usage_error, [&](const usage_error& e) {
        return std::string_view(e.what()).find((out() / "plain").string()) != std::string_view::npos;
    });
    BOOST_CHECK_THROW(host_tree_reader(base / "nothing"), usage_error);
}

BOOST_AUTO_TEST_CASE(the_fingerprint_tells_changes) {
    write("plain", "x");
    const auto before = host_tree_reader(in()).fingerprint();
    BOOST_TEST(before == host_tree_reader(in()).fingerprint());
    write("plain", "xy");
    const auto after = host_tree_reader(in()).fingerprint();
    BOOST_TEST(before != after);
    fs::permissions(in() / "plain", fs::perms{0600});
    BOOST_TEST(after != host_tree_reader(in()).fingerprint());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
