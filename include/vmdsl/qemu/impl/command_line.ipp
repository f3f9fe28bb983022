// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

#include <vmdsl/qemu/command_line.hpp>

namespace vmdsl {

namespace detail {

/// Commas separate options in a QEMU value; a doubled one is a plain comma.
inline std::string qemu_value(std::string_view text) {
    std::string out;
    for (const char c : text) {
        out += c;
        if (c == ',') {
            out += c;
        }
    }
    return out;
}

inline void append_words(std::vector<std::string>& to, std::initializer_list<std::string> words) {
    to.insert(to.end(), words.begin(), words.end());
}

inline void append_socket(std::vector<std::string>& to, const std::string& id, int fd) {
    append_words(to, {"-chardev", "socket,id=" + id + ",fd=" + std::to_string(fd)});
}

inline void append_disk(std::vector<std::string>& to, const qemu_disk& disk) {
    // cache=unsafe: the host's page cache survives QEMU, and the host itself is not what a test crashes. Locking is off
    // because many clones read one base file.
    append_words(to, {"-drive",
                      "if=none,id=disk-" + disk.serial + ",file=" + qemu_value(disk.path) + ",format=" + disk.format +
                          ",cache=unsafe,file.locking=off,discard=unmap" + (disk.read_only ? ",readonly=on" : ""),
                      "-device", "virtio-blk-pci,drive=disk-" + disk.serial + ",serial=" + disk.serial});
}

}  // namespace detail

VMDSL_DECL std::vector<std::string> qemu_command_line(const qemu_configuration& machine) {
    const bool emulated = machine.accelerator == "tcg";
    const std::string megabytes = std::to_string(machine.memory_bytes >> 20) + "M";
    std::vector<std::string> words;
    // Nehalem is x86-64-v2 without AVX: glibc picks its AVX routines where it can, and TCG runs those slowly.
    detail::append_words(words, {"-nodefaults",
                                 "-no-user-config",
                                 "-display",
                                 "none",
                                 "-name",
                                 detail::qemu_value(machine.name),
                                 "-uuid",
                                 machine.uuid,
                                 "-machine",
                                 "q35,usb=off,memory-backend=ram",
                                 "-accel",
                                 emulated ? "tcg,thread=multi" : "kvm",
                                 "-cpu",
                                 emulated ? "Nehalem" : "host",
                                 "-smp",
                                 std::to_string(machine.vcpus),
                                 "-m",
                                 megabytes,
                                 "-object",
                                 "memory-backend-file,id=ram,size=" + megabytes + ",mem-path=" + machine.memory_path +
                                     ",share=" + (machine.memory_shared ? "on" : "off"),
                                 "-action",
                                 "panic=pause",
                                 "-rtc",
                                 "base=utc"});
    detail::append_socket(words, "qmp", machine.qmp_fd);
    detail::append_words(words, {"-mon", "chardev=qmp,mode=control"});

    detail::append_socket(words, "agent", machine.agent_fd);
    detail::append_socket(words, "bulk", machine.bulk_fd);
    detail::append_words(words,
                         {"-device", "virtio-serial-pci,id=ports", "-device",
                          "virtserialport,bus=ports.0,nr=1,chardev=agent,id=agent-port,name=org.vmdsl.agent", "-device",
                          "virtserialport,bus=ports.0,nr=2,chardev=bulk,id=bulk-port,name=org.vmdsl.bulk"});
    detail::append_socket(words, "console", machine.console_fd);
    detail::append_words(words, {"-device", "isa-serial,chardev=console"});
    detail::append_disk(words, {"transfer", machine.transfer_path, "raw", false});
    detail::append_words(words, {"-object", "rng-random,id=rng,filename=/dev/urandom", "-device",
                                 "virtio-rng-pci,rng=rng", "-device", "pvpanic-pci"});
    if (machine.display) {
        detail::append_words(words, {"-device", "VGA"});
    }
    for (const auto& disk : machine.disks) {
        detail::append_disk(words, disk);
    }
    // guest_announce=off: announcing is the agent's, where it is needed at all. And with it on and no announcement
    // asked for (announce-rounds 0), QEMU 7.2 frees the card's timer on load and dies of it at the guest's next reset.
    for (std::size_t i = 0; i < machine.nics.size(); ++i) {
        const std::string id = "net" + std::to_string(i);
        detail::append_words(
            words,
            {"-netdev", "stream,id=" + id + ",server=off,addr.type=fd,addr.str=" + std::to_string(machine.nics[i].fd),
             "-device",
             "virtio-net-pci,netdev=" + id + ",id=nic" + std::to_string(i) + ",mac=" + machine.nics[i].mac +
                 ",romfile=,guest_announce=off"});
    }

    std::string arguments;
    for (const auto& argument : machine.kernel_arguments) {
        arguments += (arguments.empty() ? "" : " ") + argument;
    }
    detail::append_words(words, {"-kernel", machine.kernel});
    if (!machine.initrd.empty()) {
        detail::append_words(words, {"-initrd", machine.initrd});
    }
    detail::append_words(words, {"-append", arguments});
    if (machine.incoming) {
        detail::append_words(words, {"-incoming", "defer"});
    }
    words.insert(words.end(), machine.extra.begin(), machine.extra.end());
    return words;
}

}  // namespace vmdsl
