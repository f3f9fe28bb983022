// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace vmdsl {

/// A port of the host's loopback interface that leads to a TCP port of the guest.
struct forward_plan {
    std::uint16_t host_port =
        0;  ///< Used only when a person runs the network; tests get a free port. 0: always a free one.
    std::uint16_t guest_port = 0;
};

/// A further disk, empty at first, seen in the guest as /dev/disk/by-id/virtio-<name> and as a virtio-blk serial.
struct disk_plan {
    std::string name;
    std::uint64_t bytes = 0;
};

/// What the type `machine<"name", options...>` says, as values.
struct machine_plan {
    std::string name;
    std::string image = "tiny";  ///< A name that add_vm_image made, or the built-in "tiny".
    std::string kernel;          ///< Path; non-empty where the machine boots a given kernel instead of an image.
    std::string initrd;          ///< Path; goes with `kernel`.
    std::uint64_t memory_bytes = 256ULL << 20;
    std::uint32_t vcpus = 1;
    bool display = false;               ///< It has a VGA.
    bool volatile_root = false;         ///< The root's writable layer is in memory instead of on the scratch disk.
    std::vector<std::string> segments;  ///< Segments with a network card each, in order.
    std::vector<disk_plan> disks;
    std::vector<forward_plan> forwards;
    std::vector<std::string> kernel_arguments;  ///< Appended to the kernel's command line.
    std::vector<std::string> qemu_arguments;    ///< Appended to QEMU's, as they are.
};

/// What the type `network<...>` says, as values. Machines and segments are numbered from 1 in declaration order.
struct network_plan {
    std::vector<std::string> segments;
    std::deque<machine_plan> machines;  ///< A deque: a machine that is added moves no other.
};

}  // namespace vmdsl
