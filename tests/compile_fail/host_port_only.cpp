// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", forward<host_port<80>, guest_port<80>>>;
#else
using subject = machine<"a", forward<host_port<80>>>;
#endif

static_assert(!subject::name.empty());
