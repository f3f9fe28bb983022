// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <vmdsl/core/fixed_string.hpp>
#include <vmdsl/core/plan.hpp>
#include <vmdsl/core/units.hpp>
#include <vmdsl/detail/labels.hpp>

namespace vmdsl {

namespace detail {

enum class option_kind : std::uint8_t {
    image,
    boot,
    memory,
    vcpus,
    disk,
    segment,
    forward,
    kernel_arguments,
    qemu_arguments,
    volatile_root
};

/// What `machine<"name", ...>` takes: a type that says what it is and writes itself into a plan.
template <class T>
concept machine_option = requires(machine_plan& plan) {
    { T::kind } -> std::convertible_to<option_kind>;
    T::describe(plan);
};

template <class>
inline constexpr bool always_false = false;

}  // namespace detail

/// The image that a machine boots, by the name that add_vm_image gave it in CMake. Without this option, and without
/// `boot<>`, a machine boots the built-in image "tiny".
template <fixed_string Name>
struct image {
    static_assert(Name.size() > 0 && detail::consists_of(Name.view(), "._+-") && Name.view().front() != '.' &&
                      Name.view().front() != '-',
                  "vmdsl: an image's name consists of letters, digits and . _ + -, and begins with none of . and -");
    static constexpr auto kind = detail::option_kind::image;
    static void describe(machine_plan& plan) { plan.image = Name.view(); }
};

/// The kernel's file, in `boot<>`. A relative path is relative to where the test runs.
template <fixed_string Path>
struct kernel {
    static_assert(Path.size() > 0, "vmdsl: kernel<> needs a path");
    static constexpr std::string_view path = Path.view();
};

/// The initial RAM disk's file, in `boot<>`. It must hold vmdsl's guest agent.
template <fixed_string Path>
struct initrd {
    static_assert(Path.size() > 0, "vmdsl: initrd<> needs a path");
    static constexpr std::string_view path = Path.view();
};

/// Boots a given kernel with a given initial RAM disk instead of an image:
/// `boot<kernel<"bzImage">, initrd<"initrd.cpio">>`. There is no root disk then.
template <class... Files>
struct boot {
    static_assert(detail::always_false<boot>,
                  "vmdsl: boot<> takes a kernel<\"path\"> and an initrd<\"path\">, in this order");
};

template <fixed_string KernelPath, fixed_string InitrdPath>
struct boot<kernel<KernelPath>, initrd<InitrdPath>> {
    static constexpr auto kind = detail::option_kind::boot;
    static void describe(machine_plan& plan) {
        plan.kernel = kernel<KernelPath>::path;
        plan.initrd = initrd<InitrdPath>::path;
    }
};

/// The machine's memory, 256 MiB by default: `memory<512_MiB>`.
template <bytes Size>
struct memory {
    static_assert(Size >= 32_MiB, "vmdsl: a machine needs at least 32_MiB of memory");
    static_assert(Size.count % (1_MiB).count == 0, "vmdsl: memory comes in whole 1_MiB");
    static constexpr auto kind = detail::option_kind::memory;
    static void describe(machine_plan& plan) { plan.memory_bytes = Size.count; }
};

/// The number of processors, 1 by default. More than the host has make a machine slower, not faster.
template <unsigned Count>
struct vcpus {
    static_assert(Count >= 1 && Count <= 16, "vmdsl: a machine has 1 to 16 vcpus");
    static constexpr auto kind = detail::option_kind::vcpus;
    static void describe(machine_plan& plan) { plan.vcpus = Count; }
};

/// A further disk, empty at first, which the guest sees as /dev/disk/by-id/virtio-<name>. It is sparse: it takes only
/// as much of the host's space as the guest writes, and it is part of every checkpoint. May be given several times.
template <fixed_string Name, bytes Size>
struct disk {
    static_assert(Name.size() >= 1 && Name.size() <= 20 && detail::consists_of(Name.view(), "_-"),
                  "vmdsl: a disk's name has 1 to 20 letters, digits, _ and - (it is the disk's serial number)");
    static_assert(Name.view() != "root" && Name.view() != "scratch" && Name.view() != "transfer",
                  "vmdsl: root, scratch and transfer are disks that every machine has; give yours another name");
    static_assert(Size >= 1_MiB, "vmdsl: a disk has at least 1_MiB");
    static_assert(Size.count % 512 == 0, "vmdsl: a disk consists of whole sectors of 512 bytes");
    static constexpr auto kind = detail::option_kind::disk;
    static constexpr std::string_view name = Name.view();
    static void describe(machine_plan& plan) { plan.disks.push_back({std::string(name), Size.count}); }
};

/// As an entry of `network<>`: a private Ethernet segment. As an option of a machine: it has a network card on that
/// segment; may be given several times, and the cards are in this order. Machines without one are on the network's
/// first segment, which is called "lan" where the network declares none.
template <fixed_string Name>
struct segment {
    static_assert(detail::is_host_label(Name.view()),
                  "vmdsl: a segment's name has 1 to 63 letters, digits and hyphens, and no hyphen at either end");
    static constexpr auto kind = detail::option_kind::segment;
    static constexpr std::string_view name = Name.view();
    static constexpr auto text = Name;
    static void describe(machine_plan& plan) { plan.segments.emplace_back(name); }
};

/// The host's side of a `forward<>`. Bound only where a person runs the network (`--interactive`).
template <unsigned Number>
struct host_port {
    static_assert(Number >= 1 && Number <= 65535, "vmdsl: a host port is a number from 1 to 65535");
    static constexpr auto number = static_cast<std::uint16_t>(Number);
};

/// The guest's side of a `forward<>`: a TCP port there.
template <unsigned Number>
struct guest_port {
    static_assert(Number >= 1 && Number <= 65535, "vmdsl: a guest port is a number from 1 to 65535");
    static constexpr auto number = static_cast<std::uint16_t>(Number);
};

/// A port of the host's loopback interface that leads to a TCP port of the machine:
/// `forward<host_port<8081>, guest_port<80>>`, or `forward<guest_port<80>>` where any free port will do. In tests it is
/// always a free one, so that runs side by side never meet: ask the machine for `forwarded(80)`. The service sees the
/// connection come from localhost. May be given several times.
template <class... Ports>
struct forward {
    static_assert(detail::always_false<forward>,
                  "vmdsl: forward<> takes a guest_port<>, or a host_port<> and a guest_port<>, in this order");
};

template <unsigned Guest>
struct forward<guest_port<Guest>> {
    static constexpr auto kind = detail::option_kind::forward;
    static constexpr std::uint16_t host = 0;
    static constexpr std::uint16_t guest = guest_port<Guest>::number;
    static void describe(machine_plan& plan) { plan.forwards.push_back({host, guest}); }
};

template <unsigned Host, unsigned Guest>
struct forward<host_port<Host>, guest_port<Guest>> {
    static constexpr auto kind = detail::option_kind::forward;
    static constexpr std::uint16_t host = host_port<Host>::number;
    static constexpr std::uint16_t guest = guest_port<Guest>::number;
    static void describe(machine_plan& plan) { plan.forwards.push_back({host, guest}); }
};

/// Appended to the kernel's command line, separated by blanks: `kernel_arguments<"quiet", "loglevel=3">`.
template <fixed_string... Arguments>
struct kernel_arguments {
    static_assert(((Arguments.size() > 0 && Arguments.view().find_first_of("\n\r") == std::string_view::npos) && ...),
                  "vmdsl: a kernel argument is not empty and has no line breaks");
    static constexpr auto kind = detail::option_kind::kernel_arguments;
    static void describe(machine_plan& plan) { (plan.kernel_arguments.emplace_back(Arguments.view()), ...); }
};

/// Appended to QEMU's command line as they are, one argument each: `qemu_arguments<"-device", "edu">`. What they add is
/// not known to vmdsl: a device that can't be migrated makes checkpoints fail.
template <fixed_string... Arguments>
struct qemu_arguments {
    static constexpr auto kind = detail::option_kind::qemu_arguments;
    static void describe(machine_plan& plan) { (plan.qemu_arguments.emplace_back(Arguments.view()), ...); }
};

/// Keeps what the machine writes in its memory instead of on its scratch disk. Faster, but a reboot or a crash loses
/// all of it, also what was synced.
struct volatile_root {
    static constexpr auto kind = detail::option_kind::volatile_root;
    static void describe(machine_plan& plan) { plan.volatile_root = true; }
};

namespace detail {

template <option_kind Kind, class Option>
constexpr bool is_option_of() {
    if constexpr (machine_option<Option>) {
        return Option::kind == Kind;
    }
    return false;
}

template <option_kind Kind, class... Options>
inline constexpr std::size_t count_options = (std::size_t{0} + ... + std::size_t{is_option_of<Kind, Options>()});

/// The values that the options of one kind have, in order. `Get` is called with each such option as template argument.
template <class Value, option_kind Kind, class... Options, class Get>
constexpr auto collect_options(const Get& get) {
    std::array<Value, count_options<Kind, Options...>> values{};
    [[maybe_unused]] std::size_t next = 0;
    [[maybe_unused]] const auto collect = [&]<class Option>() {
        if constexpr (is_option_of<Kind, Option>()) {
            values[next++] = get.template operator()<Option>();
        }
    };
    (collect.template operator()<Options>(), ...);
    return values;
}

template <class Value, std::size_t Size>
constexpr bool all_different(const std::array<Value, Size>& values) {
    for (std::size_t i = 0; i < Size; ++i) {
        for (std::size_t j = i + 1; j < Size; ++j) {
            if (values[i] == values[j]) {
                return false;
            }
        }
    }
    return true;
}

}  // namespace detail

/// A machine of a `network<>`. The name is its host name, and every other machine of the network knows it by that.
///
/// Options, in any order: image, boot, memory, vcpus, disk, segment, forward, kernel_arguments, qemu_arguments,
/// volatile_root. This is the description; the running machine is what `net.machine("name")` returns.
template <fixed_string Name, class... Options>
struct machine {
    static_assert(detail::is_host_label(Name.view()),
                  "vmdsl: a machine's name is its host name: 1 to 63 letters, digits and hyphens, no hyphen at either "
                  "end, not a number and not localhost");
    static_assert((detail::machine_option<Options> && ...),
                  "vmdsl: machine<> takes a name and options such as image<>, memory<>, forward<>, disk<>, segment<>");

    static constexpr std::string_view name = Name.view();
    static constexpr auto text = Name;

    /// The segments that the machine names itself, in order.
    static constexpr auto segments =
        detail::collect_options<std::string_view, detail::option_kind::segment, Options...>(
            []<class Option>() { return Option::name; });
    /// The forwarded ports on the host, 0 for any free one; and on the guest, in the same order.
    static constexpr auto host_ports = detail::collect_options<std::uint16_t, detail::option_kind::forward, Options...>(
        []<class Option>() { return Option::host; });
    static constexpr auto guest_ports =
        detail::collect_options<std::uint16_t, detail::option_kind::forward, Options...>(
            []<class Option>() { return Option::guest; });

    static machine_plan plan() {
        machine_plan result;
        result.name = name;
        (Options::describe(result), ...);
        return result;
    }

private:
    template <detail::option_kind Kind>
    static constexpr std::size_t count = detail::count_options<Kind, Options...>;

    static constexpr auto disks = detail::collect_options<std::string_view, detail::option_kind::disk, Options...>(
        []<class Option>() { return Option::name; });

    static_assert(count<detail::option_kind::image> <= 1, "vmdsl: a machine has at most one image<>");
    static_assert(count<detail::option_kind::boot> <= 1, "vmdsl: a machine has at most one boot<>");
    static_assert(count<detail::option_kind::image> + count<detail::option_kind::boot> <= 1 ||
                      count<detail::option_kind::image> > 1 || count<detail::option_kind::boot> > 1,
                  "vmdsl: a machine has an image<> or boots a kernel by boot<>, not both");
    static_assert(count<detail::option_kind::memory> <= 1, "vmdsl: a machine has at most one memory<>");
    static_assert(count<detail::option_kind::vcpus> <= 1, "vmdsl: a machine has at most one vcpus<>");
    static_assert(count<detail::option_kind::kernel_arguments> <= 1,
                  "vmdsl: a machine has at most one kernel_arguments<>, with all of them");
    static_assert(count<detail::option_kind::qemu_arguments> <= 1,
                  "vmdsl: a machine has at most one qemu_arguments<>, with all of them");
    static_assert(count<detail::option_kind::volatile_root> <= 1, "vmdsl: a machine has at most one volatile_root");
    static_assert(count<detail::option_kind::disk> + count<detail::option_kind::segment> <= 16,
                  "vmdsl: a machine has at most 16 disks and network cards together");
    static_assert(detail::all_different(disks), "vmdsl: two disks of this machine have the same name");
    static_assert(detail::all_different(segments), "vmdsl: this machine names the same segment twice");
    static_assert(detail::all_different(guest_ports),
                  "vmdsl: two forwards of this machine lead to the same guest port");
};

}  // namespace vmdsl
