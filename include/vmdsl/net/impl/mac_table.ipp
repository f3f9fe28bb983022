// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>

#include <vmdsl/net/mac_table.hpp>

namespace vmdsl {

VMDSL_DECL mac_table::mac_table(std::size_t capacity)
    : entries_(std::max<std::size_t>(capacity, 1)), buckets_(std::bit_ceil(2 * entries_.size())) {
    assert(entries_.size() < none);
    clear();
}

VMDSL_DECL mac_table::outcome mac_table::learn(mac_address station, switch_port port) noexcept {
    if (const slot found = lookup(station); found != none) {
        const bool moved = entries_[found].port != port;
        entries_[found].port = port;
        if (found != newest_) {
            unlink(found);
            link_as_newest(found);
        }
        return moved ? outcome::moved : outcome::known;
    }
    const bool full = unused_ == none;
    if (full) {
        erase(oldest_);
    }
    const slot added = unused_;
    unused_ = entries_[added].next_in_bucket;
    slot& bucket = buckets_[bucket_of(station)];
    entries_[added] = {station, port, bucket, none, none};
    bucket = added;
    link_as_newest(added);
    ++size_;
    return full ? outcome::evicted : outcome::added;
}

VMDSL_DECL std::optional<switch_port> mac_table::find(mac_address station) const noexcept {
    const slot found = lookup(station);
    return found == none ? std::nullopt : std::optional(entries_[found].port);
}

VMDSL_DECL void mac_table::forget(switch_port port) noexcept {
    for (slot which = newest_; which != none;) {
        const slot next = entries_[which].older;
        if (entries_[which].port == port) {
            erase(which);
        }
        which = next;
    }
}

VMDSL_DECL void mac_table::clear() noexcept {
    std::fill(buckets_.begin(), buckets_.end(), none);
    for (slot which = 0; which != entries_.size(); ++which) {
        entries_[which].next_in_bucket = which + 1 == entries_.size() ? none : which + 1;
    }
    unused_ = 0;
    newest_ = oldest_ = none;
    size_ = 0;
}

VMDSL_DECL std::size_t mac_table::bucket_of(mac_address station) const noexcept {
    // The upper bits of the product depend on all bits of the address; the lower ones don't.
    const std::uint64_t product = station.value() * 0x9e3779b97f4a7c15U;
    return static_cast<std::size_t>(product >> 32U) & (buckets_.size() - 1);
}

VMDSL_DECL mac_table::slot mac_table::lookup(mac_address station) const noexcept {
    slot which = buckets_[bucket_of(station)];
    while (which != none && entries_[which].station != station) {
        which = entries_[which].next_in_bucket;
    }
    return which;
}

VMDSL_DECL void mac_table::link_as_newest(slot which) noexcept {
    entries_[which].newer = none;
    entries_[which].older = newest_;
    (newest_ == none ? oldest_ : entries_[newest_].newer) = which;
    newest_ = which;
}

VMDSL_DECL void mac_table::unlink(slot which) noexcept {
    const entry& leaving = entries_[which];
    (leaving.newer == none ? newest_ : entries_[leaving.newer].older) = leaving.older;
    (leaving.older == none ? oldest_ : entries_[leaving.older].newer) = leaving.newer;
}

VMDSL_DECL void mac_table::erase(slot which) noexcept {
    unlink(which);
    slot* link = &buckets_[bucket_of(entries_[which].station)];
    while (*link != which) {
        link = &entries_[*link].next_in_bucket;
    }
    *link = entries_[which].next_in_bucket;
    entries_[which].next_in_bucket = unused_;
    unused_ = which;
    --size_;
}

}  // namespace vmdsl
