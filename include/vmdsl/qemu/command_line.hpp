// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <vmdsl/core/config.hpp>

namespace vmdsl {

/// A disk as QEMU sees it.
struct qemu_disk {
    std::string serial;  ///< How the guest tells disks apart: /sys/block/vd*/serial. At most 20 bytes.
    std::string path;
    std::string format;  ///< "raw" or "qcow2".
    bool read_only = false;
};

/// A network card: a descriptor of a stream socket, and the card's address.
struct qemu_nic {
    int fd = -1;
    std::string mac;
};

/// One QEMU, fully described. Descriptors are numbers in the child, which inherits them under the same numbers.
struct qemu_configuration {
    std::string name;
    std::string uuid;
    std::string accelerator = "tcg";  ///< "tcg" or "kvm".
    std::uint64_t memory_bytes = 256ULL << 20;
    std::uint32_t vcpus = 1;
    std::string memory_path;    ///< The file that holds the guest's RAM.
    bool memory_shared = true;  ///< False: writes stay private to this QEMU (copy on write); the file must not change.
    bool incoming = false;      ///< Wait for a saved state instead of booting.
    int qmp_fd = -1;
    int agent_fd = -1;
    int bulk_fd = -1;
    int console_fd = -1;
    std::string transfer_path;
    bool display = false;  ///< A VGA, which nobody sees but by QMP.
    std::vector<qemu_disk> disks;
    std::vector<qemu_nic> nics;
    std::string kernel;
    std::string initrd;
    std::vector<std::string> kernel_arguments;
    std::vector<std::string> extra;  ///< Appended as they are.
};

/// QEMU's command line for a machine, without the program's name. Pure: the same description gives the same words.
///
/// The order of the devices is part of a checkpoint's format, because it gives them their PCI addresses: agent ports,
/// console, transfer disk, random numbers, pvpanic, VGA where asked for, disks, network cards.
[[nodiscard]] VMDSL_DECL std::vector<std::string> qemu_command_line(const qemu_configuration& machine);

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/qemu/impl/command_line.ipp>
#endif
