// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/detail/names.hpp>

using namespace vmdsl;

using lab = detail::topology<segment<"dmz">, segment<"office">, machine<"webserver", segment<"dmz">, segment<"office">>,
                             machine<"client", segment<"office">>>;

// The parameter of net.link().
void cut(const detail::link_name<lab>& link);

void use() {
#if CASE == 0
    cut("client");
#else
    cut("webserver");
#endif
}
