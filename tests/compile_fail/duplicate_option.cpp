// SPDX-License-Identifier: BSL-1.0
#include <vmdsl/machine.hpp>

using namespace vmdsl;

#if CASE == 0
using subject = machine<"a", memory<64_MiB>, vcpus<2>>;
#else
using subject = machine<"a", memory<64_MiB>, vcpus<2>, memory<128_MiB>>;
#endif

static_assert(!subject::name.empty());
