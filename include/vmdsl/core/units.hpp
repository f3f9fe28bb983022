// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Amounts with a unit: memory and disks, shares, data rates, and the time units of std::chrono.

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>

namespace vmdsl {

/// An amount of data. Written with a unit: `512_MiB`; usable as a template argument: `memory<512_MiB>`. Sums and
/// multiples wrap around at 16 EiB, as unsigned numbers do.
struct bytes {
    std::uint64_t count = 0;  ///< In bytes.

    friend constexpr auto operator<=>(const bytes&, const bytes&) = default;
    friend constexpr bytes operator+(bytes a, bytes b) noexcept { return {a.count + b.count}; }
    friend constexpr bytes operator-(bytes a, bytes b) noexcept { return {a.count - b.count}; }
    friend constexpr bytes operator*(bytes a, std::uint64_t factor) noexcept { return {a.count * factor}; }
};

/// A share of a whole, from 0 to 100 %, in steps of a millionth. Written with a unit: `10_percent`, `0.5_percent`.
struct percent {
    /// Millionths of the whole: 10 000 are 1 %.
    std::uint32_t parts_per_million = 0;

    /// The same from 0 to 1.
    [[nodiscard]] constexpr double fraction() const noexcept { return parts_per_million / 1'000'000.0; }
    friend constexpr auto operator<=>(const percent&, const percent&) = default;
};

/// A data rate. Decimal multiples, as networks have them: `10_Mbit` is ten million bits per second.
struct bits_per_second {
    std::uint64_t count = 0;  ///< In bits per second.

    friend constexpr auto operator<=>(const bits_per_second&, const bits_per_second&) = default;
};

namespace detail {

// Never defined: reaching one of them while compiling is the error message.
void this_amount_does_not_fit_in_64_bits();
void a_share_is_at_most_100_percent();

constexpr std::uint64_t checked_product(std::uint64_t amount, std::uint64_t unit) {
    if (amount > std::numeric_limits<std::uint64_t>::max() / unit) {
        this_amount_does_not_fit_in_64_bits();
    }
    return amount * unit;
}

constexpr std::uint64_t checked_product(long double amount, std::uint64_t unit) {
    const auto product = amount * static_cast<long double>(unit);
    if (product >= 18446744073709551616.0L) {
        this_amount_does_not_fit_in_64_bits();
    }
    return static_cast<std::uint64_t>(product + 0.5L);
}

constexpr percent checked_percent(long double amount) {
    if (amount > 100.0L) {
        a_share_is_at_most_100_percent();
    }
    return {static_cast<std::uint32_t>(amount * 10'000.0L + 0.5L)};
}

}  // namespace detail

/// The units of a spec. `using namespace vmdsl;` brings them, and those of std::chrono (`20s`, `150ms`) with them. An
/// amount that its type can't hold does not compile.
///
///     static_assert(1_GiB == 1024_MiB);
///     static_assert((12.5_percent).fraction() == 0.125);
///     static_assert(0.5_Mbit == 500_Kbit);
///     client.within(20s).run("true");
inline namespace literals {

using namespace std::chrono_literals;

/// 1024 bytes each.
consteval bytes operator""_KiB(unsigned long long amount) {
    return {detail::checked_product(std::uint64_t{amount}, std::uint64_t{1} << 10U)};
}
/// 1024 KiB each.
consteval bytes operator""_MiB(unsigned long long amount) {
    return {detail::checked_product(std::uint64_t{amount}, std::uint64_t{1} << 20U)};
}
/// 1024 MiB each.
consteval bytes operator""_GiB(unsigned long long amount) {
    return {detail::checked_product(std::uint64_t{amount}, std::uint64_t{1} << 30U)};
}

/// Hundredths of a whole, at most 100, rounded to a millionth.
consteval percent operator""_percent(unsigned long long amount) {
    return detail::checked_percent(static_cast<long double>(amount));
}
consteval percent operator""_percent(long double amount) {
    return detail::checked_percent(amount);
}

/// 1000 bits per second each.
consteval bits_per_second operator""_Kbit(unsigned long long amount) {
    return {detail::checked_product(std::uint64_t{amount}, 1'000U)};
}
/// 1 000 000 bits per second each, rounded to one.
consteval bits_per_second operator""_Mbit(unsigned long long amount) {
    return {detail::checked_product(std::uint64_t{amount}, 1'000'000U)};
}
consteval bits_per_second operator""_Mbit(long double amount) {
    return {detail::checked_product(amount, 1'000'000U)};
}
/// 1 000 000 000 bits per second each, rounded to one.
consteval bits_per_second operator""_Gbit(unsigned long long amount) {
    return {detail::checked_product(std::uint64_t{amount}, 1'000'000'000U)};
}
consteval bits_per_second operator""_Gbit(long double amount) {
    return {detail::checked_product(amount, 1'000'000'000U)};
}

}  // namespace literals

}  // namespace vmdsl
