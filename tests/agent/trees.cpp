// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/guest/host_tree.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
using builder = vmdsl::payload_builder;
namespace fs = std::filesystem;

unsigned failure(const stream_state& ended) {
    return ended.error_number.value_or(0);
}

stream_state& read_tree(agent_process& agent, std::string_view path) {
    return agent.wait_for_end(agent.open(wire::stream_kind::read_tree, builder{}.text(wire::tag::path, path)));
}

stream_state& write_tree(agent_process& agent, std::string_view path, std::string_view bytes) {
    const auto stream = agent.open(wire::stream_kind::write_tree, builder{}.text(wire::tag::path, path));
    agent.wait_for_opened(stream);
    agent.send_data(stream, bytes);
    agent.send(wire::frame_type::end, stream);
    return agent.wait_for_end(stream);
}

std::string tree_of(const fs::path& path) {
    vmdsl::host_tree_reader reader(path);
    std::string all;
    for (auto bytes = reader.next(); !bytes.empty(); bytes = reader.next()) {
        all += bytes;
    }
    return all;
}

/// The same however files were cut into pieces.
std::string listing_of(std::string_view bytes) {
    std::string text;
    vmdsl::tree_decoder decoder({[&](const vmdsl::tree_entry& entry) {
                                     text += entry.path + " " + std::to_string(entry.mode) + " " + entry.target + "\n";
                                 },
                                 [&](std::string_view content) { text += content; }, [&] { text += "\n"; }});
    decoder.feed(bytes);
    return text;
}

BOOST_AUTO_TEST_SUITE(trees)

BOOST_AUTO_TEST_CASE(there_and_back_is_the_same) {
    agent_process agent;
    const auto source = agent.folder() / "source";
    fs::create_directories(source / "a/b/c");
    std::ofstream(source / "large") << std::string(1'500'000, 'x');
    std::ofstream(source / "a/empty");
    std::ofstream(source / "a" / std::string(255, 'n')) << "a name can't be longer";
    std::ofstream(source / "a/b/script") << "#!/bin/sh\n";
    fs::permissions(source / "a/b/script", fs::perms{0751});
    fs::permissions(source / "a/b/c", fs::perms{0700});
    fs::create_symlink("/nowhere", source / "a/absolute");
    fs::create_symlink("../large", source / "a/up");
    for (int i = 0; i < 500; ++i) {
        std::ofstream(source / "a" / ("file" + std::to_string(i))) << i;
    }
    const auto bytes = tree_of(source);
    BOOST_TEST(!write_tree(agent, "copy", bytes).error_number.has_value());
    BOOST_TEST((tree_of(agent.folder() / "root/copy") == bytes));
    const auto& got = read_tree(agent, "copy");
    BOOST_TEST(!got.error_number.has_value());
    BOOST_TEST((listing_of(got.out) == listing_of(bytes)));
    BOOST_TEST(got.out_ended);
}

BOOST_AUTO_TEST_CASE(a_single_file_and_files_of_the_kernel) {
    agent_process agent;
    const auto source = agent.folder() / "one";
    std::ofstream(source) << "content";
    BOOST_TEST(!write_tree(agent, "renamed", tree_of(source)).error_number.has_value());
    BOOST_TEST((read_tree(agent, "renamed").out == tree_of(source)));
    fs::create_symlink("renamed", agent.folder() / "root/link");  // a link that is named itself is followed
    BOOST_TEST((read_tree(agent, "link").out == tree_of(source)));
    BOOST_TEST(read_tree(agent, "/proc/self/status").out.find("Pid:") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_no_file_is_only_told_of) {
    agent_process agent;
    const auto folder = agent.folder() / "root/folder";
    fs::create_directory(folder);
    BOOST_REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    vmdsl::host_tree_writer writer(agent.folder() / "out");
    writer.take(read_tree(agent, "folder").out);
    writer.finish();
    BOOST_TEST(writer.summary().left_out.at(0) == "pipe (a pipe)");
    BOOST_TEST(failure(read_tree(agent, "folder/pipe")) == static_cast<unsigned>(EINVAL));
}

BOOST_AUTO_TEST_CASE(files_are_replaced_whole_and_folders_added_to) {
    agent_process agent;
    const auto source = agent.folder() / "source";
    fs::create_directory(source);
    std::ofstream(source / "file") << "new";
    const auto target = agent.folder() / "root/target";
    fs::create_directory(target);
    std::ofstream(target / "kept") << "kept";
    std::ofstream(target / "file") << "old";
    const auto bytes = tree_of(source);
    const auto stream = agent.open(wire::stream_kind::write_tree, builder{}.text(wire::tag::path, "target"));
    agent.wait_for_opened(stream);
    agent.send_data(stream, std::string_view(bytes).substr(0, bytes.size() - 4));  // the file's end is missing
    agent.settle();
    BOOST_TEST(fs::file_size(target / "file") == 3U);
    BOOST_TEST(std::distance(fs::directory_iterator(target), {}) == 3);
    agent.send(wire::frame_type::end, stream);
    BOOST_TEST(failure(agent.wait_for_end(stream)) == static_cast<unsigned>(EPROTO));
    BOOST_TEST(std::distance(fs::directory_iterator(target), {}) == 2);
    BOOST_TEST(!write_tree(agent, "target", bytes).error_number.has_value());
    std::ifstream file(target / "file");
    BOOST_TEST(std::string(std::istreambuf_iterator<char>(file), {}) == "new");
    BOOST_TEST(fs::exists(target / "kept"));
}

BOOST_AUTO_TEST_CASE(failures_say_why) {
    agent_process agent{run_as::ordinary_user};
    const auto source = agent.folder() / "source";
    fs::create_directories(source / "inner");
    std::ofstream(source / "file") << "x";
    const auto tree = tree_of(source);
    const auto file = tree_of(source / "file");
    BOOST_TEST(failure(read_tree(agent, "missing")) == static_cast<unsigned>(ENOENT));
    BOOST_TEST(failure(read_tree(agent, "")) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(failure(write_tree(agent, "no/such/folder", tree)) == static_cast<unsigned>(ENOENT));
    BOOST_TEST(failure(write_tree(agent, "/", file)) == static_cast<unsigned>(EISDIR));
    BOOST_TEST(failure(write_tree(agent, "/dev/null", file)) == static_cast<unsigned>(EEXIST));
    BOOST_TEST((agent.run("mkdir target && ln -s /tmp target/inner").exit_code == 0U));
    BOOST_TEST(failure(write_tree(agent, "target", tree)) == static_cast<unsigned>(ENOTDIR));
    BOOST_TEST(failure(write_tree(agent, "x", std::string("\xff\xff\xff\x7f", 4))) == static_cast<unsigned>(EPROTO));
    if (::geteuid() == 0) {
        BOOST_TEST(failure(read_tree(agent, "/etc/shadow")) == static_cast<unsigned>(EACCES));
        BOOST_TEST(failure(write_tree(agent, "/etc/vmdsl-test", tree)) == static_cast<unsigned>(EACCES));
    }
}

BOOST_AUTO_TEST_CASE(a_reader_minds_the_credit) {
    agent_process agent;
    std::ofstream(agent.folder() / "root/large") << std::string(2'000'000, 'x');
    agent.automatic_credit = false;
    const auto stream = agent.open(wire::stream_kind::read_tree, builder{}.text(wire::tag::path, "large"));
    agent.wait_until([&] { return agent.state(stream).out.size() == wire::initial_credit; }, "the first credit's data");
    agent.settle();
    BOOST_TEST(agent.state(stream).out.size() == wire::initial_credit);
    agent.automatic_credit = true;
    agent.give_credit(stream, wire::initial_credit);
    BOOST_TEST(agent.wait_for_end(stream).out_ended);
    BOOST_TEST(agent.state(stream).out.size() > 2'000'000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
