// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <cstdint>
#include <type_traits>

#include <vmdsl/core/units.hpp>

namespace {

using namespace vmdsl;

static_assert((1_KiB).count == 1024);
static_assert((512_MiB).count == 536870912);
static_assert((3_GiB).count == 3221225472);
static_assert((17179869183_GiB).count == 18446744072635809792U);
static_assert(1_GiB == 1024_MiB);
static_assert(1_MiB > 1023_KiB);
static_assert(1_MiB + 1_MiB == 2_MiB);
static_assert(3_MiB - 1_MiB == 2_MiB);
static_assert(1_MiB * 3 == 3_MiB);

static_assert((0_percent).parts_per_million == 0);
static_assert((10_percent).parts_per_million == 100'000);
static_assert((0.5_percent).parts_per_million == 5'000);
static_assert((33.3333_percent).parts_per_million == 333'333);
static_assert((100_percent).fraction() == 1.0);
static_assert((25_percent).fraction() == 0.25);

static_assert((10_Mbit).count == 10'000'000);
static_assert((1.5_Mbit).count == 1'500'000);
static_assert(1_Gbit == 1000_Mbit);
static_assert(2.5_Gbit == 2500_Mbit);
static_assert(64_Kbit < 1_Mbit);

// A spec says `using namespace vmdsl;` and nothing more.
static_assert(std::is_same_v<decltype(20s), std::chrono::seconds>);
static_assert(1.5s > 1s);
static_assert(2min == 120s);
static_assert(1500us > 1ms);

// Amounts are template arguments.
template <bytes Amount>
struct amount_tag {
    static constexpr std::uint64_t count = Amount.count;
};
template <percent Share>
struct share_tag {};
template <bits_per_second Rate>
struct rate_tag {};
static_assert(amount_tag<512_MiB>::count == 512ULL << 20U);
static_assert(std::is_same_v<share_tag<50_percent>, share_tag<50.0_percent>>);
static_assert(std::is_same_v<rate_tag<1000_Mbit>, rate_tag<1_Gbit>>);

}  // namespace
