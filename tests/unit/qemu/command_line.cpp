// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/qemu/command_line.hpp>

namespace {

vmdsl::qemu_configuration example() {
    vmdsl::qemu_configuration machine;
    machine.name = "web";
    machine.uuid = "00000000-0000-4000-8000-000000000001";
    machine.memory_path = "/proc/self/fd/9";
    machine.qmp_fd = 3;
    machine.agent_fd = 4;
    machine.bulk_fd = 5;
    machine.console_fd = 6;
    machine.transfer_path = "/proc/self/fd/7";
    machine.disks = {{"root", "/images/a,b", "raw", true}, {"scratch", "/scratch/s", "qcow2", false}};
    machine.nics = {{8, "52:54:00:12:01:01"}};
    machine.kernel = "/k";
    machine.initrd = "/i";
    machine.kernel_arguments = {"console=ttyS0", "quiet"};
    return machine;
}

std::string value_after(const std::vector<std::string>& words, const std::string& option) {
    const auto found = std::find(words.begin(), words.end(), option);
    return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(command_line)

BOOST_AUTO_TEST_CASE(devices_keep_their_order_because_it_is_a_checkpoints_format) {
    std::vector<std::string> devices;
    const auto words = vmdsl::qemu_command_line(example());
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        if (words[i] == "-device") {
            const auto& device = words[i + 1];
            const auto serial = device.find("serial=");
            devices.push_back(serial != std::string::npos ? device.substr(serial) : device.substr(0, device.find(',')));
        }
    }
    const std::vector<std::string> expected{"virtio-serial-pci", "virtserialport", "virtserialport", "isa-serial",
                                            "serial=transfer",   "virtio-rng-pci", "pvpanic-pci",    "serial=root",
                                            "serial=scratch",    "virtio-net-pci"};
    BOOST_TEST(devices == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_display_stands_before_the_disks) {
    auto machine = example();
    machine.display = true;
    const auto words = vmdsl::qemu_command_line(machine);
    const auto vga = std::find(words.begin(), words.end(), "VGA");
    BOOST_REQUIRE(vga != words.end());
    BOOST_TEST(*(vga - 2) == "pvpanic-pci");
    const auto plain = vmdsl::qemu_command_line(example());
    BOOST_TEST((std::find(plain.begin(), plain.end(), "VGA") == plain.end()));
}

BOOST_AUTO_TEST_CASE(a_clone_differs_only_in_its_memory_mode_and_in_waiting_for_a_state) {
    auto clone = example();
    clone.memory_shared = false;
    clone.incoming = true;
    auto words = vmdsl::qemu_command_line(clone);
    BOOST_TEST(value_after(words, "-incoming") == "defer");
    words.erase(std::find(words.begin(), words.end(), "-incoming"), words.end());
    const auto original = vmdsl::qemu_command_line(example());
    BOOST_REQUIRE_EQUAL(words.size(), original.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] != original[i]) {
            BOOST_TEST(original[i].find("memory-backend-file") == 0U);
            BOOST_TEST(words[i].find("share=off") != std::string::npos);
            BOOST_TEST(original[i].find("share=on") != std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_CASE(commas_in_paths_do_not_become_options) {
    const auto words = vmdsl::qemu_command_line(example());
    BOOST_TEST(std::any_of(words.begin(), words.end(),
                           [](const std::string& w) { return w.find("file=/images/a,,b,") != std::string::npos; }));
}

BOOST_AUTO_TEST_CASE(the_kernels_words_are_one_argument) {
    BOOST_TEST(value_after(vmdsl::qemu_command_line(example()), "-append") == "console=ttyS0 quiet");
}

BOOST_AUTO_TEST_SUITE_END()
