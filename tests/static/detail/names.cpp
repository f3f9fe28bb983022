// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <string_view>
#include <type_traits>

#include <vmdsl/detail/names.hpp>

namespace {

using namespace vmdsl;

using lab = detail::topology<segment<"dmz">, segment<"office">, machine<"web", segment<"dmz">, segment<"office">>,
                             machine<"client">>;

/// What `net.machine(...)` and `net.link(...)` look like from outside.
constexpr detail::machine_name<lab> machine(detail::machine_name<lab> name) {
    return name;
}
constexpr detail::link_name<lab> link(detail::link_name<lab> name) {
    return name;
}

static_assert(machine("client").index() == 1);
static_assert(machine("client").text() == "client");
constexpr std::string_view computed = std::string_view("a web").substr(2);
static_assert(machine(computed).text() == "web");
static_assert(std::string_view(machine("web").where().file()).ends_with("names.cpp"));
static_assert(machine("web").where().line() == __LINE__);

static_assert(link("client").machine() == "client");
static_assert(link("client").segment() == "dmz");
static_assert(link({"web", "office"}).segment() == "office");
static_assert(link({"web", "office"}).position() == detail::link_position{0, 1, 1});
static_assert(link({"web", "dmz"}).where().line() == __LINE__);

// A name that is known only at run time is no machine_name, whatever its type.
static_assert(!std::is_convertible_v<std::size_t, detail::machine_name<lab>>);

template <class Network>
struct in_a_template {
    std::size_t found = detail::machine_name<Network>("client").index();
    template <class T>
    static constexpr std::size_t of(const T&) {
        return [](auto) { return detail::machine_name<Network>("client").index(); }(0);
    }
};
static_assert(in_a_template<lab>::of(1) == 1);
static_assert(in_a_template<lab>{}.found == 1);

}  // namespace
