// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <string_view>
#include <type_traits>

#include <vmdsl/detail/topology.hpp>

namespace {

using namespace vmdsl;
using detail::link_position;

using single = detail::topology<machine<"web">>;
static_assert(single::machine_count == 1);
static_assert(single::segment_count == 1);
static_assert(single::segment_names[0] == "lan");
static_assert(single::resolve_link("web") == link_position{0, 0, 0});
static_assert(single::resolve_link("web", "lan") == link_position{0, 0, 0});

using lab = detail::topology<
    segment<"dmz">, machine<"web", segment<"office">, segment<"dmz">, forward<host_port<8081>, guest_port<80>>>,
    machine<"client">, segment<"office">, machine<"printer", segment<"office">, forward<guest_port<631>>>>;
static_assert(lab::machine_count == 3);
static_assert(lab::names == std::array<std::string_view, 3>{"web", "client", "printer"});
static_assert(lab::segment_names == std::array<std::string_view, 2>{"dmz", "office"});

static_assert(lab::resolve_machine("web") == 0);
static_assert(lab::resolve_machine("printer") == 2);
static_assert(lab::resolve_segment("office") == 1);
static_assert(lab::find_machine("client") == 1);
static_assert(lab::find_machine("Client") == lab::npos);
static_assert(lab::find_machine("") == lab::npos);

static_assert(lab::resolve_link("client") == link_position{1, 0, 0});
static_assert(lab::resolve_link("printer") == link_position{2, 1, 0});
static_assert(lab::resolve_link("web", "office") == link_position{0, 1, 0});
static_assert(lab::resolve_link("web", "dmz") == link_position{0, 0, 1});

static_assert(lab::forwards_port("web", 80));
static_assert(!lab::forwards_port("web", 8081));
static_assert(!lab::forwards_port("client", 80));
static_assert(lab::forwards_port(2, 631));
static_assert(!lab::forwards_port(3, 631));
static_assert(!lab::forwards_port("nobody", 80));

// Any number of forwards to any free port; the same guest port on different machines.
using servers = detail::topology<machine<"a", forward<guest_port<80>>, forward<guest_port<81>>>,
                                 machine<"b", forward<guest_port<80>>, forward<host_port<80>, guest_port<81>>>>;
static_assert(servers::forwards_port("a", 80) && servers::forwards_port("b", 80));

// Names of machines and of segments are apart.
static_assert(detail::topology<machine<"web", segment<"web">>, segment<"web">>::segment_count == 1);

}  // namespace
