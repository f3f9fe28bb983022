// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/net/frame.hpp>

namespace vmdsl {

/// A port of a switch. The numbers are the caller's and need not be dense.
using switch_port = std::uint32_t;

/// Which port each station was last heard on. Bounded: where it is full, the station that was silent longest goes.
/// All memory is taken by the constructor, none later. Not thread-safe.
class mac_table {
public:
    /// What learn() found.
    enum class outcome : std::uint8_t {
        known,    ///< The station is where it was.
        added,    ///< It was not known.
        evicted,  ///< It was not known, and another station had to go for it.
        moved,    ///< It was heard on another port before.
    };

    /// `capacity` is the greatest number of stations, at least 1.
    explicit VMDSL_DECL mac_table(std::size_t capacity);

    /// Notes that `station` was heard on `port` now.
    VMDSL_DECL outcome learn(mac_address station, switch_port port) noexcept;

    [[nodiscard]] VMDSL_DECL std::optional<switch_port> find(mac_address station) const noexcept;

    /// Forgets every station of a port.
    VMDSL_DECL void forget(switch_port port) noexcept;
    VMDSL_DECL void clear() noexcept;

    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    using slot = std::uint32_t;
    static constexpr slot none = ~slot{0};

    /// Lies in two lists at once: the one of its hash bucket, and the one of all entries from newest to oldest.
    struct entry {
        mac_address station;
        switch_port port = 0;
        slot next_in_bucket = none;  ///< In an unused entry: the next unused one.
        slot newer = none;
        slot older = none;
    };

    [[nodiscard]] VMDSL_DECL std::size_t bucket_of(mac_address station) const noexcept;
    [[nodiscard]] VMDSL_DECL slot lookup(mac_address station) const noexcept;
    VMDSL_DECL void link_as_newest(slot which) noexcept;
    VMDSL_DECL void unlink(slot which) noexcept;
    VMDSL_DECL void erase(slot which) noexcept;

    std::vector<entry> entries_;
    std::vector<slot> buckets_;
    slot unused_ = none;
    slot newest_ = none;
    slot oldest_ = none;
    std::size_t size_ = 0;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/net/impl/mac_table.ipp>
#endif
