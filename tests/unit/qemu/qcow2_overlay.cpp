// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/child.hpp>
#include <vmdsl/qemu/qcow2_overlay.hpp>

namespace {

/// A folder of its own for each case.
struct folder {
    std::filesystem::path path;

    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "vmdsl-qcow2-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~folder() { std::filesystem::remove_all(path); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;

    [[nodiscard]] std::string at(const char* name) const { return (path / name).string(); }
};

/// QEMU's own tools judge what we wrote.
vmdsl::child_exit qemu_tool(const std::string& program, std::vector<std::string> arguments) {
    return vmdsl::run_program("/usr/bin/" + program, std::move(arguments),
                              vmdsl::deadline::in(std::chrono::seconds(30)));
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(qcow2_overlay, folder)

BOOST_AUTO_TEST_CASE(qemu_finds_no_fault_with_it) {
    std::ofstream(at("base")) << std::string(1 << 20, 'b');
    vmdsl::make_qcow2_overlay(at("overlay"), at("base"), "raw", 1 << 20);
    const auto check = qemu_tool("qemu-img", {"check", at("overlay")});
    BOOST_TEST(check.code == 0, check.output_tail);
    const auto info = qemu_tool("qemu-img", {"info", at("overlay")});
    BOOST_TEST(info.output_tail.find("backing file: " + at("base")) != std::string::npos, info.output_tail);
    BOOST_TEST(info.output_tail.find("backing file format: raw") != std::string::npos, info.output_tail);
}

BOOST_AUTO_TEST_CASE(it_shows_its_base_and_takes_the_writes) {
    std::ofstream(at("base")) << std::string(1 << 20, 'b');
    vmdsl::make_qcow2_overlay(at("overlay"), at("base"), "raw", 1 << 20);
    const auto io = qemu_tool("qemu-io", {"-f", "qcow2", "-c", "read -P 98 0 1M", "-c", "write -P 120 64k 64k", "-c",
                                          "read -P 120 64k 64k", at("overlay")});
    BOOST_TEST(io.code == 0, io.output_tail);
    BOOST_TEST(io.output_tail.find("verification failed") == std::string::npos, io.output_tail);
    std::ifstream base(at("base"));
    const std::string content{std::istreambuf_iterator<char>(base), {}};
    BOOST_TEST((content == std::string(1 << 20, 'b')));
    BOOST_TEST(qemu_tool("qemu-img", {"check", at("overlay")}).code == 0);
}

BOOST_AUTO_TEST_CASE(overlays_stack_and_large_disks_cost_nothing) {
    vmdsl::make_qcow2(at("disk"), 2ULL << 40);
    vmdsl::make_qcow2_overlay(at("clone"), at("disk"), "qcow2", vmdsl::qcow2_virtual_size(at("disk")));
    BOOST_TEST(vmdsl::qcow2_virtual_size(at("clone")) == 2ULL << 40);
    const auto check = qemu_tool("qemu-img", {"check", at("clone")});
    BOOST_TEST(check.code == 0, check.output_tail);
    const auto io =
        qemu_tool("qemu-io", {"-f", "qcow2", "-c", "write -P 1 1T 64k", "-c", "read -P 1 1T 64k", at("clone")});
    BOOST_TEST(io.code == 0, io.output_tail);
}

BOOST_AUTO_TEST_CASE(what_can_not_be_written_is_said) {
    BOOST_CHECK_EXCEPTION(vmdsl::make_qcow2(at("no/such/folder"), 1 << 20), vmdsl::could_not_run,
                          [](const vmdsl::could_not_run& e) {
                              return std::string(e.what()).find("No such file or directory") != std::string::npos;
                          });
    BOOST_CHECK_THROW(vmdsl::make_qcow2_overlay(at("x"), "relative", "raw", 1 << 20), vmdsl::could_not_run);
    std::ofstream(at("text")) << "no disk image at all, but long enough for a header";
    BOOST_CHECK_THROW((void)vmdsl::qcow2_virtual_size(at("text")), vmdsl::could_not_run);
}

BOOST_AUTO_TEST_SUITE_END()
