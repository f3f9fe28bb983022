// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include <vmdsl/core/config.hpp>
#include <vmdsl/net/frame.hpp>

namespace vmdsl {

/// The two ways along the cable between a machine's network card and the switch.
enum class link_direction : std::uint8_t {
    from_machine,  ///< What the machine sends.
    to_machine,    ///< What the machine is sent.
};

/// What became of one copy of a frame on a link. A frame that is flooded to three machines is judged on each link.
enum class link_verdict : std::uint8_t {
    pass,  ///< It goes on: into the switch, or into the egress queue.
    cut,   ///< It was lost because the link is cut.
    runt,  ///< It was dropped because it is shorter than an Ethernet header.
};

/// What passed a link in one direction, and what didn't and why. A frame counts once, except for those `socket_drops`
/// that had been queued, and counted as forwarded, before.
struct direction_counters {
    std::uint64_t forwarded = 0;     ///< Frames that went on.
    std::uint64_t bytes = 0;         ///< Bytes of those frames.
    std::uint64_t cut = 0;           ///< Frames lost because the link was cut.
    std::uint64_t runts = 0;         ///< Frames shorter than an Ethernet header; from_machine only.
    std::uint64_t queue_drops = 0;   ///< Frames that found the egress queue full; to_machine only.
    std::uint64_t socket_drops = 0;  ///< Frames that were queued or incomplete when QEMU's end went away.

    friend bool operator==(const direction_counters&, const direction_counters&) = default;
};

/// Both directions of a link.
struct link_counters {
    direction_counters from_machine;
    direction_counters to_machine;

    friend bool operator==(const link_counters&, const link_counters&) = default;
};

/// The cable between one network card and the switch: whether it is whole, and what went along it.
///
/// A frame runs through the stages in this order, on the sender's link first and, each copy, on the receiver's:
/// match -> cut -> loss -> corrupt -> duplicate -> rate -> delay -> egress queue. So far a link matches every frame,
/// can be cut and has a queue; the stages between are where tc-netem's faults belong. Not thread-safe.
class link_state {
public:
    /// Loses every frame from now on, both ways. The machine sees no change of its carrier: the network lost the
    /// frames.
    void cut() noexcept { cut_.fill(true); }
    void heal() noexcept { cut_.fill(false); }
    [[nodiscard]] bool is_cut() const noexcept { return cut_[0] && cut_[1]; }

    /// Runs a frame through the stages, and counts it unless it passes: the caller then knows more and counts it by one
    /// of the functions below.
    [[nodiscard]] link_verdict judge(link_direction direction, frame_view frame) noexcept {
        if (cut_[static_cast<std::size_t>(direction)]) {
            ++of(direction).cut;
            return link_verdict::cut;
        }
        if (frame.is_runt()) {
            ++of(direction).runts;
            return link_verdict::runt;
        }
        return link_verdict::pass;
    }

    void count_forwarded(link_direction direction, frame_view frame) noexcept {
        ++of(direction).forwarded;
        of(direction).bytes += frame.size();
    }
    void count_queue_drop() noexcept { ++counters_.to_machine.queue_drops; }
    void count_socket_drops(link_direction direction, std::uint64_t frames) noexcept {
        of(direction).socket_drops += frames;
    }

    [[nodiscard]] const link_counters& counters() const noexcept { return counters_; }

private:
    [[nodiscard]] direction_counters& of(link_direction direction) noexcept {
        return direction == link_direction::from_machine ? counters_.from_machine : counters_.to_machine;
    }

    std::array<bool, 2> cut_{};
    link_counters counters_;
};

}  // namespace vmdsl
