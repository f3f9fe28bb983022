// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <vmdsl/guest/wire.hpp>

#include <agent/text.hpp>

namespace vmdsl::agent {

/// A payload of fields for a frame to the host.
class fields {
public:
    fields& put(wire::tag tag, std::string_view value) {
        std::byte head[wire::field_header_size];
        wire::put16(head, static_cast<std::uint16_t>(tag));
        wire::put32(head + 2, static_cast<std::uint32_t>(value.size()));
        bytes_.append({reinterpret_cast<const char*>(head), sizeof head});
        bytes_.append(value);
        return *this;
    }
    fields& put32(wire::tag tag, std::uint32_t value) {
        std::byte packed[4];
        wire::put32(packed, value);
        return put(tag, {reinterpret_cast<const char*>(packed), sizeof packed});
    }
    fields& put64(wire::tag tag, std::uint64_t value) {
        std::byte packed[8];
        wire::put64(packed, value);
        return put(tag, {reinterpret_cast<const char*>(packed), sizeof packed});
    }
    fields& flag(wire::tag tag) { return put(tag, {}); }

    /// At most one frame's worth: whole fields only, so what does not fit is left out.
    [[nodiscard]] std::span<const std::byte> view() const noexcept {
        return std::as_bytes(std::span{bytes_.c_str(), bytes_.size() <= wire::max_payload ? bytes_.size() : cut()});
    }

private:
    [[nodiscard]] std::size_t cut() const noexcept {
        std::span<const std::byte> rest = std::as_bytes(std::span{bytes_.c_str(), wire::max_payload});
        for (wire::field field; wire::next_field(rest, field);) {
        }
        return wire::max_payload - rest.size();
    }

    text bytes_;
};

/// Whether a payload of the host consists of whole fields.
[[nodiscard]] constexpr bool is_well_formed(std::span<const std::byte> payload) noexcept {
    wire::field field;
    while (wire::next_field(payload, field)) {
    }
    return payload.empty();
}

}  // namespace vmdsl::agent
