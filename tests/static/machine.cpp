// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include <vmdsl/machine.hpp>

namespace {

using namespace vmdsl;

using web = machine<"webserver", image<"svn-server">, segment<"dmz">, memory<512_MiB>, segment<"office">,
                    forward<host_port<8081>, guest_port<80>>, forward<guest_port<443>>, volatile_root>;

static_assert(web::name == "webserver");
static_assert(web::segments == std::array<std::string_view, 2>{"dmz", "office"});
static_assert(web::host_ports == std::array<std::uint16_t, 2>{8081, 0});
static_assert(web::guest_ports == std::array<std::uint16_t, 2>{80, 443});

static_assert(machine<"plain">::segments.empty());
static_assert(machine<"plain">::host_ports.empty());

static_assert(std::is_same_v<machine<"a", vcpus<2>>, machine<"a", vcpus<2>>>);
static_assert(!std::is_same_v<machine<"a", memory<64_MiB>>, machine<"a", memory<65_MiB>>>);

// Every kind of option is one, and nothing else is.
static_assert(detail::machine_option<image<"debian-12.1_x+y">>);
static_assert(detail::machine_option<boot<kernel<"bzImage">, initrd<"initrd">>>);
static_assert(detail::machine_option<memory<32_MiB>>);
static_assert(detail::machine_option<vcpus<16>>);
static_assert(detail::machine_option<disk<"data", 1_GiB>>);
static_assert(detail::machine_option<segment<"lan">>);
static_assert(detail::machine_option<forward<guest_port<65535>>>);
static_assert(detail::machine_option<kernel_arguments<"quiet">>);
static_assert(detail::machine_option<qemu_arguments<"-device", "edu">>);
static_assert(detail::machine_option<volatile_root>);
static_assert(!detail::machine_option<int>);
static_assert(!detail::machine_option<kernel<"bzImage">>);
static_assert(!detail::machine_option<host_port<80>>);
static_assert(!detail::machine_option<machine<"nested">>);

}  // namespace
