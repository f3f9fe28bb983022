// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <string_view>

#include <vmdsl/detail/machine_facts.hpp>

namespace {

using vmdsl::detail::machine_facts;
using vmdsl::detail::option_facts;
using enum vmdsl::detail::option_kind;

constexpr std::array<option_facts, 6> options{{{.kind = disk, .text = "data"},
                                               {.kind = segment, .text = "data"},
                                               {.kind = forward, .number = 80, .host_port = 8080},
                                               {.kind = memory, .number = 443},
                                               {.kind = disk, .text = "log"},
                                               {.kind = forward, .number = 443}}};
constexpr machine_facts web{"web", options.data(), options.size()};

static_assert(web.count(disk) == 2);
static_assert(web.count(memory) == 1);
static_assert(web.count(image) == 0);
static_assert(web.texts_differ(disk));
static_assert(web.guest_ports_differ());
static_assert(web.forwards(80));
static_assert(web.forwards(443));
static_assert(!web.forwards(8080));

constexpr std::array<option_facts, 4> twice{{{.kind = disk, .text = "data"},
                                             {.kind = forward, .number = 80},
                                             {.kind = disk, .text = "data"},
                                             {.kind = forward, .number = 80, .host_port = 1}}};
constexpr machine_facts wrong{"wrong", twice.data(), twice.size()};
static_assert(!wrong.texts_differ(disk));
static_assert(wrong.texts_differ(segment));
static_assert(!wrong.guest_ports_differ());

constexpr machine_facts plain{"plain"};
static_assert(plain.count(disk) == 0);
static_assert(plain.texts_differ(disk));
static_assert(!plain.forwards(80));

}  // namespace
