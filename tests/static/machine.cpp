// SPDX-License-Identifier: BSL-1.0
#include <string_view>
#include <type_traits>

#include <vmdsl/machine.hpp>

namespace {

using namespace vmdsl;

using web = machine<"webserver", image<"svn-server">, segment<"dmz">, memory<512_MiB>, segment<"office">,
                    forward<host_port<8081>, guest_port<80>>, forward<guest_port<443>>, volatile_root>;

static_assert(web::name == "webserver");
static_assert(web::options.size() == 7);
static_assert(web::options[0].text == "svn-server");
static_assert(web::options[1].text == "dmz");
static_assert(web::options[2].number == 512ULL << 20U);
static_assert(web::options[4].host_port == 8081 && web::options[4].number == 80);
static_assert(web::options[5].host_port == 0 && web::options[5].number == 443);

static_assert(machine<"plain">::name == "plain");
static_assert(machine<"plain">::options.empty());

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
