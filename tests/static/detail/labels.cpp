// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <cstddef>
#include <string_view>

#include <vmdsl/detail/labels.hpp>

namespace {

using namespace vmdsl::detail;

static_assert(is_host_label("webserver"));
static_assert(is_host_label("Web-2"));
static_assert(is_host_label("3com"));
static_assert(is_host_label("0xyz"));
static_assert(is_host_label("a"));
static_assert(is_host_label("123456789012345678901234567890123456789012345678901234567890abc"));
static_assert(!is_host_label("123456789012345678901234567890123456789012345678901234567890abcd"));
static_assert(!is_host_label(""));
static_assert(!is_host_label("-web"));
static_assert(!is_host_label("web-"));
static_assert(!is_host_label("web_server"));
static_assert(!is_host_label("web.server"));
static_assert(!is_host_label("web server"));
static_assert(
    !is_host_label("w\xC3\xA9"
                   "b"));
static_assert(!is_host_label("127"));
static_assert(!is_host_label("0x7f"));
static_assert(!is_host_label("0X"));
static_assert(!is_host_label("localhost"));
static_assert(!is_host_label("LocalHost"));

static_assert(same_label("Web", "wEB"));
static_assert(!same_label("web", "webs"));
static_assert(!same_label("web", "wep"));

static_assert(edit_distance("", "") == 0);
static_assert(edit_distance("web", "web") == 0);
static_assert(edit_distance("", "web") == 3);
static_assert(edit_distance("web", "") == 3);
static_assert(edit_distance("web", "we") == 1);
static_assert(edit_distance("web", "wweb") == 1);
static_assert(edit_distance("web", "wab") == 1);
static_assert(edit_distance("wbe", "web") == 1);
static_assert(edit_distance("ca", "abc") == 3);
static_assert(edit_distance("wbeserver", "webserver") == 1);
static_assert(edit_distance("database", "webserver") > 4);

constexpr std::array<std::string_view, 3> names{"webserver", "client", "db"};
constexpr std::size_t nearest(std::string_view wanted) {
    return nearest_name(wanted, names.data(), names.size());
}
static_assert(nearest("wbeserver") == 0);
static_assert(nearest("Webservr") == 0);
static_assert(nearest("cleint") == 1);
static_assert(nearest("clients") == 1);
static_assert(nearest("bd") == 2);
static_assert(nearest("web") == 3);
static_assert(nearest("database") == 3);
static_assert(nearest("") == 3);
static_assert(nearest_name("web", nullptr, 0) == 0);

}  // namespace
