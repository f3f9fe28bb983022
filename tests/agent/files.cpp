// SPDX-License-Identifier: BSL-1.0
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace {

using namespace agent_test;
using builder = vmdsl::payload_builder;

std::string random_text(std::size_t size) {
    std::mt19937 random{42};
    std::string text(size, '\0');
    for (auto& each : text) {
        each = static_cast<char>(random() & 0xff);
    }
    return text;
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

mode_t mode_of(const std::filesystem::path& path) {
    struct stat status {};
    BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777;
}

std::ptrdiff_t entries_of(const std::filesystem::path& folder) {
    return std::distance(std::filesystem::directory_iterator{folder}, {});
}

stream_state& write(agent_process& agent, std::string_view content, builder payload) {
    const auto stream = agent.open(wire::stream_kind::write_file, std::move(payload));
    agent.wait_for_opened(stream);
    agent.send_data(stream, content);
    agent.send(wire::frame_type::end, stream);
    return agent.wait_for_end(stream);
}

stream_state& read(agent_process& agent, std::string_view path) {
    return agent.wait_for_end(agent.open(wire::stream_kind::read_file, builder{}.text(wire::tag::path, path)));
}

unsigned failure(const stream_state& ended) {
    return ended.error_number.value_or(0);
}

BOOST_AUTO_TEST_SUITE(files)

BOOST_AUTO_TEST_CASE(five_megabytes_there_and_back) {
    agent_process agent;
    const auto content = random_text(5 * 1024 * 1024 + 3);
    const auto path = agent.folder() / "file";
    BOOST_TEST(!write(agent, content, builder{}.text(wire::tag::path, path.string())).error_number.has_value());
    BOOST_TEST((content_of(path) == content));
    BOOST_TEST(mode_of(path) == 0644U);
    const auto& got = read(agent, path.string());
    BOOST_TEST(got.size == content.size());
    BOOST_TEST((got.out == content));
    BOOST_TEST(got.out_ended);
    BOOST_TEST(!got.error_number.has_value());
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_one) {
    agent_process agent;
    const auto path = agent.folder() / "empty";
    write(agent, "", builder{}.text(wire::tag::path, path.string()));
    BOOST_TEST(std::filesystem::exists(path));
    const auto& got = read(agent, path.string());
    BOOST_TEST(got.out.empty());
    BOOST_TEST(got.out_ended);
}

BOOST_AUTO_TEST_CASE(mode_append_and_relative_paths) {
    agent_process agent;
    const auto path = agent.folder() / "root" / "script";
    write(agent, "one\n", builder{}.text(wire::tag::path, "script").u32(wire::tag::mode, 0750));
    BOOST_TEST(content_of(path) == "one\n");
    BOOST_TEST(mode_of(path) == 0750U);
    write(agent, "two\n", builder{}.text(wire::tag::path, "script").flag(wire::tag::append));
    BOOST_TEST(content_of(path) == "one\ntwo\n");
    BOOST_TEST(mode_of(path) == 0750U);
    BOOST_TEST(read(agent, "script").out == "one\ntwo\n");
    write(agent, "new\n", builder{}.text(wire::tag::path, "appended").flag(wire::tag::append));
    BOOST_TEST(content_of(agent.folder() / "root" / "appended") == "new\n");
}

BOOST_AUTO_TEST_CASE(a_file_appears_whole_or_not_at_all) {
    agent_process agent;
    const auto folder = agent.folder() / "root";
    std::ofstream{folder / "kept"} << "old";
    const auto stream = agent.open(wire::stream_kind::write_file, builder{}.text(wire::tag::path, "kept"));
    agent.wait_for_opened(stream);
    agent.send_data(stream, "new");
    agent.settle();
    BOOST_TEST(content_of(folder / "kept") == "old");
    agent.send(wire::frame_type::close, stream);
    agent.wait_for_end(stream);
    BOOST_TEST(content_of(folder / "kept") == "old");
    BOOST_TEST(entries_of(folder) == 1);
}

BOOST_AUTO_TEST_CASE(a_link_stays_a_link) {
    agent_process agent;
    const auto folder = agent.folder() / "root";
    std::ofstream{folder / "target"} << "old";
    std::filesystem::create_symlink("target", folder / "link");
    write(agent, "new", builder{}.text(wire::tag::path, "link"));
    BOOST_TEST(std::filesystem::is_symlink(folder / "link"));
    BOOST_TEST(content_of(folder / "target") == "new");
}

BOOST_AUTO_TEST_CASE(what_cannot_be_replaced_is_written_in_place) {
    agent_process agent;
    BOOST_TEST(!write(agent, "gone", builder{}.text(wire::tag::path, "/dev/null")).error_number.has_value());
    BOOST_TEST(failure(write(agent, "no space", builder{}.text(wire::tag::path, "/dev/full"))) ==
               static_cast<unsigned>(ENOSPC));
}

BOOST_AUTO_TEST_CASE(failures_say_why) {
    agent_process agent{run_as::ordinary_user};
    const auto writes = [&](std::string_view path) {
        return failure(
            agent.wait_for_end(agent.open(wire::stream_kind::write_file, builder{}.text(wire::tag::path, path))));
    };
    BOOST_TEST(writes("no/such/folder/file") == static_cast<unsigned>(ENOENT));
    BOOST_TEST(writes("") == static_cast<unsigned>(EINVAL));
    BOOST_TEST(writes(std::string_view{"a\0b", 3}) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(failure(read(agent, "missing")) == static_cast<unsigned>(ENOENT));
    BOOST_TEST(failure(read(agent, "/")) == static_cast<unsigned>(EISDIR));
    BOOST_TEST((agent.run("mkfifo pipe").exit_code == 0U));
    BOOST_TEST(failure(read(agent, "pipe")) == static_cast<unsigned>(EINVAL));
    BOOST_TEST(failure(read(agent, std::string(5000, 'x'))) == static_cast<unsigned>(ENAMETOOLONG));
    if (::geteuid() == 0) {
        BOOST_TEST(failure(read(agent, "/etc/shadow")) == static_cast<unsigned>(EACCES));
        BOOST_TEST(writes("/etc/vmdsl-test") == static_cast<unsigned>(EACCES));
    }
    const auto& text = wire::find_field(read(agent, "missing").final_payload, wire::tag::error_text);
    BOOST_TEST(text.text().ends_with("missing: No such file or directory"));
}

BOOST_AUTO_TEST_CASE(files_of_the_kernel_can_be_read) {
    agent_process agent;
    const auto& got = read(agent, "/proc/self/status");
    BOOST_TEST(got.out.find("Pid:") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(stat_tells_size_and_mode) {
    agent_process agent;
    const auto path = agent.folder() / "root" / "file";
    std::ofstream{path} << "12345";
    std::filesystem::permissions(path, std::filesystem::perms{0600});
    const auto stat = [&](std::string_view name) -> stream_state& {
        return agent.wait_for_end(agent.open(wire::stream_kind::stat, builder{}.text(wire::tag::path, name)));
    };
    const auto& file = stat("file");
    BOOST_TEST(wire::find_field(file.final_payload, wire::tag::size).number() == 5U);
    BOOST_TEST(wire::find_field(file.final_payload, wire::tag::mode).number() == (S_IFREG | 0600U));
    BOOST_TEST(S_ISDIR(wire::find_field(stat("/").final_payload, wire::tag::mode).number()));
    BOOST_TEST(failure(stat("missing")) == static_cast<unsigned>(ENOENT));
}

BOOST_AUTO_TEST_CASE(a_name_may_be_as_long_as_names_can_be) {
    agent_process agent;
    const std::string name(255, 'n');
    BOOST_TEST(!write(agent, "content", builder{}.text(wire::tag::path, name)).error_number.has_value());
    BOOST_TEST(read(agent, name).out == "content");
    BOOST_TEST(entries_of(agent.folder() / "root") == 1);  // nothing beside it
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
