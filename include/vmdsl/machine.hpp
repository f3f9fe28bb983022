// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The description of a machine: what stands in a `network<...>`, as types. What can be wrong with it is wrong when the
/// spec compiles.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <vmdsl/core/fixed_string.hpp>
#include <vmdsl/core/units.hpp>
#include <vmdsl/detail/labels.hpp>
#include <vmdsl/detail/machine_facts.hpp>

namespace vmdsl {

namespace detail {

/// What `machine<"name", ...>` takes: a type that says what it is.
template <class T>
concept machine_option = requires {
    { T::facts } -> std::convertible_to<option_facts>;
};

template <class>
inline constexpr option_facts facts_of{};
template <machine_option T>
inline constexpr option_facts facts_of<T> = T::facts;

template <class>
inline constexpr bool always_false = false;

}  // namespace detail

/// The image that a machine boots, by the name that `add_vm_image` gave it in CMake. Without this option, and without
/// `boot<>`, a machine boots the built-in image "tiny" (kernel, agent, busybox). A name consists of letters, digits and
/// `. _ + -`. Whether there is such an image is seen when the machine is made: `could_not_run` where not.
template <fixed_string Name>
struct image {
    static_assert(Name.size() > 0 && detail::consists_of(Name.view(), "._+-") && Name.view().front() != '.' &&
                      Name.view().front() != '-',
                  "vmdsl: an image's name consists of letters, digits and . _ + -, and begins with none of . and -");
    static constexpr detail::option_facts facts{.kind = detail::option_kind::image, .text = Name.view()};
};

/// The kernel's file on the host, in `boot<>`: anything that QEMU's `-kernel` takes. A relative path begins in the
/// folder in which the test runs.
template <fixed_string Path>
struct kernel {
    static_assert(Path.size() > 0, "vmdsl: kernel<> needs a path");
    /// As it is written in the spec.
    static constexpr std::string_view path = Path.view();
};

/// The initial RAM disk's file on the host, in `boot<>`. It has to hold vmdsl's guest agent. A relative path begins in
/// the folder in which the test runs.
template <fixed_string Path>
struct initrd {
    static_assert(Path.size() > 0, "vmdsl: initrd<> needs a path");
    /// As it is written in the spec.
    static constexpr std::string_view path = Path.view();
};

/// Boots a given kernel with a given initial RAM disk instead of an image:
///
///     using lab = network<machine<"probe", boot<kernel<"bzImage">, initrd<"initrd.cpio">>>>;
///
/// There is no root disk then, and the kernel's arguments are `console=ttyS0 panic=-1` and what `kernel_arguments<>`
/// says. A file that is missing or can't be read is `could_not_run` when the machine is made.
template <class... Files>
struct boot {
    static_assert(detail::always_false<boot>,
                  "vmdsl: boot<> takes a kernel<\"path\"> and an initrd<\"path\">, in this order");
};

template <fixed_string KernelPath, fixed_string InitrdPath>
struct boot<kernel<KernelPath>, initrd<InitrdPath>> {
    static constexpr detail::option_facts facts{
        .kind = detail::option_kind::boot, .text = kernel<KernelPath>::path, .second_text = initrd<InitrdPath>::path};
};

/// The machine's memory, 256 MiB by default: `memory<512_MiB>`. At least 32 MiB, in whole MiB; where it is more than
/// the host's memory and swap, the machine is `could_not_run`.
template <bytes Size>
struct memory {
    static_assert(Size >= 32_MiB, "vmdsl: a machine needs at least 32_MiB of memory");
    static_assert(Size.count % (1_MiB).count == 0, "vmdsl: memory comes in whole 1_MiB");
    static constexpr detail::option_facts facts{.kind = detail::option_kind::memory, .number = Size.count};
};

/// The number of processors, 1 to 16, 1 by default. More than the host has make a machine slower, not faster.
template <unsigned Count>
struct vcpus {
    static_assert(Count >= 1 && Count <= 16, "vmdsl: a machine has 1 to 16 vcpus");
    static constexpr detail::option_facts facts{.kind = detail::option_kind::vcpus, .number = Count};
};

/// A further disk, empty at first, which the guest sees as `/dev/disk/by-id/virtio-NAME`: `disk<"data", 2_GiB>`. It is
/// sparse: it takes only as much of the host's space as the guest writes, and it is part of every checkpoint.
///
/// A name has 1 to 20 letters, digits, `_` and `-`, and is none of `root`, `scratch` and `transfer`. The size is at
/// least 1 MiB, in whole sectors of 512 bytes. May be given several times; disks and segments together at most 16
/// times.
template <fixed_string Name, bytes Size>
struct disk {
    static_assert(Name.size() >= 1 && Name.size() <= 20 && detail::consists_of(Name.view(), "_-"),
                  "vmdsl: a disk's name has 1 to 20 letters, digits, _ and - (it is the disk's serial number)");
    static_assert(Name.view() != "root" && Name.view() != "scratch" && Name.view() != "transfer",
                  "vmdsl: root, scratch and transfer are disks that every machine has; give yours another name");
    static_assert(Size >= 1_MiB, "vmdsl: a disk has at least 1_MiB");
    static_assert(Size.count % 512 == 0, "vmdsl: a disk consists of whole sectors of 512 bytes");
    static constexpr detail::option_facts facts{
        .kind = detail::option_kind::disk, .text = Name.view(), .number = Size.count};
};

/// As an entry of `network<>`: a private Ethernet segment. As an option of a machine: it has a network card on that
/// segment; may be given several times, and the cards (`eth0`, `eth1`, ...) are in this order. Machines without one are
/// on the network's first segment, which is called "lan" where the network declares none:
///
///     using office = network<segment<"lan">, segment<"dmz">, machine<"router", segment<"lan">, segment<"dmz">>,
///                            machine<"mail", segment<"dmz">>>;
///
/// A name has 1 to 63 letters, digits and hyphens, and no hyphen at either end.
template <fixed_string Name>
struct segment {
    static_assert(detail::is_host_label(Name.view()),
                  "vmdsl: a segment's name has 1 to 63 letters, digits and hyphens, and no hyphen at either end");
    /// As it is written in the spec.
    static constexpr std::string_view name = Name.view();
    /// The same as a template argument.
    static constexpr auto text = Name;
    static constexpr detail::option_facts facts{.kind = detail::option_kind::segment, .text = Name.view()};
};

/// The host's side of a `forward<>`: a TCP port of 127.0.0.1, from 1 to 65535. It is bound only where a person runs the
/// network (`--interactive`) or watches (`--attended`).
template <unsigned Number>
struct host_port {
    static_assert(Number >= 1 && Number <= 65535, "vmdsl: a host port is a number from 1 to 65535");
    /// As a value.
    static constexpr auto number = static_cast<std::uint16_t>(Number);
};

/// The guest's side of a `forward<>`: a TCP port there, from 1 to 65535.
template <unsigned Number>
struct guest_port {
    static_assert(Number >= 1 && Number <= 65535, "vmdsl: a guest port is a number from 1 to 65535");
    /// As a value.
    static constexpr auto number = static_cast<std::uint16_t>(Number);
};

/// A port of the host's loopback interface that leads to a TCP port of the machine:
/// `forward<host_port<8081>, guest_port<80>>`, or `forward<guest_port<80>>` where any free port will do. In tests it is
/// always a free one, so that runs side by side never meet: ask the machine for `forwarded(80)`. The service sees the
/// connection come from localhost. May be given several times, for different ports of the guest.
template <class... Ports>
struct forward {
    static_assert(detail::always_false<forward>,
                  "vmdsl: forward<> takes a guest_port<>, or a host_port<> and a guest_port<>, in this order");
};

template <unsigned Guest>
struct forward<guest_port<Guest>> {
    static constexpr detail::option_facts facts{.kind = detail::option_kind::forward,
                                                .number = guest_port<Guest>::number};
};

template <unsigned Host, unsigned Guest>
struct forward<host_port<Host>, guest_port<Guest>> {
    static constexpr detail::option_facts facts{.kind = detail::option_kind::forward,
                                                .number = guest_port<Guest>::number,
                                                .host_port = host_port<Host>::number};
};

/// Appended to the kernel's command line, separated by blanks: `kernel_arguments<"quiet", "loglevel=3">`. They come
/// last, so they override the image's. Given once, with all of them; none is empty or has a line break.
template <fixed_string... Arguments>
struct kernel_arguments {
    static_assert(((Arguments.size() > 0 && Arguments.view().find_first_of("\n\r") == std::string_view::npos) && ...),
                  "vmdsl: a kernel argument is not empty and has no line breaks");
    /// In their order.
    static constexpr std::array<std::string_view, sizeof...(Arguments)> arguments{Arguments.view()...};
    static constexpr detail::option_facts facts{
        .kind = detail::option_kind::kernel_arguments, .list = arguments.data(), .list_size = arguments.size()};
};

/// Appended to QEMU's command line as they are, one argument each: `qemu_arguments<"-device", "edu">`. What they add is
/// not known to vmdsl: a device that can't be migrated makes checkpoints fail. Given once, with all of them.
template <fixed_string... Arguments>
struct qemu_arguments {
    /// In their order.
    static constexpr std::array<std::string_view, sizeof...(Arguments)> arguments{Arguments.view()...};
    static constexpr detail::option_facts facts{
        .kind = detail::option_kind::qemu_arguments, .list = arguments.data(), .list_size = arguments.size()};
};

/// Keeps what the machine writes in its memory instead of on its scratch disk. Faster, but a reboot or a crash loses
/// all of it, also what was synced.
struct volatile_root {
    static constexpr detail::option_facts facts{.kind = detail::option_kind::volatile_root};
};

/// Gives the machine a screen (a VGA), for `screenshot()`. Nobody sees it but the test. Its kernel boots through the
/// BIOS then, which takes some seconds more, so that it finds the screen.
struct display {
    static constexpr detail::option_facts facts{.kind = detail::option_kind::display};
};

/// A machine of a `network<>`. The name is its host name, and every other machine of the network knows it by that.
///
/// Options, in any order: `image`, `boot`, `memory`, `vcpus`, `disk`, `segment`, `forward`, `kernel_arguments`,
/// `qemu_arguments`, `display`, `volatile_root`. This is the description; the running machine, a `guest`, is what
/// `net.machine("name")` returns.
///
///     using server = machine<"webserver", image<"svn-server">, memory<512_MiB>, vcpus<2>,
///                            forward<host_port<8081>, guest_port<80>>>;
///
/// A name has 1 to 63 letters, digits and hyphens, no hyphen at either end, and is neither a number nor `localhost`.
template <fixed_string Name, class... Options>
struct machine {
    static_assert(detail::is_host_label(Name.view()),
                  "vmdsl: a machine's name is its host name: 1 to 63 letters, digits and hyphens, no hyphen at either "
                  "end, not a number and not localhost");
    static_assert((detail::machine_option<Options> && ...),
                  "vmdsl: machine<> takes a name and options such as image<>, memory<>, forward<>, disk<>, segment<>");

    /// As it is written in the spec.
    static constexpr std::string_view name = Name.view();
    /// The same as a template argument.
    static constexpr auto text = Name;
    // What the options say, in their order.
    static constexpr std::array<detail::option_facts, sizeof...(Options)> options{detail::facts_of<Options>...};
    static constexpr detail::machine_facts facts{name, options.data(), options.size()};

private:
    using enum detail::option_kind;

    static_assert(facts.count(image) <= 1, "vmdsl: a machine has at most one image<>");
    static_assert(facts.count(boot) <= 1, "vmdsl: a machine has at most one boot<>");
    static_assert(facts.count(image) == 0 || facts.count(boot) == 0,
                  "vmdsl: a machine has an image<> or boots a kernel by boot<>, not both");
    static_assert(facts.count(memory) <= 1, "vmdsl: a machine has at most one memory<>");
    static_assert(facts.count(vcpus) <= 1, "vmdsl: a machine has at most one vcpus<>");
    static_assert(facts.count(kernel_arguments) <= 1,
                  "vmdsl: a machine has at most one kernel_arguments<>, with all of them");
    static_assert(facts.count(qemu_arguments) <= 1,
                  "vmdsl: a machine has at most one qemu_arguments<>, with all of them");
    static_assert(facts.count(display) <= 1, "vmdsl: a machine has at most one display");
    static_assert(facts.count(volatile_root) <= 1, "vmdsl: a machine has at most one volatile_root");
    static_assert(facts.count(disk) + facts.count(segment) <= 16,
                  "vmdsl: a machine has at most 16 disks and network cards together");
    static_assert(facts.texts_differ(disk), "vmdsl: two disks of this machine have the same name");
    static_assert(facts.texts_differ(segment), "vmdsl: this machine names the same segment twice");
    static_assert(facts.guest_ports_differ(), "vmdsl: two forwards of this machine lead to the same guest port");
};

}  // namespace vmdsl
