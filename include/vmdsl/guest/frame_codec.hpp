// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/guest/wire.hpp>

namespace vmdsl {

/// What `frame_decoder::next` found.
enum class decode_status : std::uint8_t {
    need_more,  ///< Nothing complete: receive more bytes.
    frame,      ///< A whole frame.
    junk,       ///< Bytes that are no frame; they are skipped already. The caller decides whether that ends the peer.
};

/// Why bytes were junk.
enum class decode_problem : std::uint8_t {
    none,
    not_a_header,  ///< No header began where one had to.
    oversize,      ///< A header announced more than `wire::max_payload` bytes.
    cut,           ///< A frame's trailer was not its own: bytes were lost in it, or it was filled up with zeros.
};

/// One answer of `frame_decoder::next`.
struct decoded {
    decode_status status = decode_status::need_more;
    wire::header header{};               ///< Of the frame.
    std::span<const std::byte> payload;  ///< Of the frame. Valid until the decoder's next non-const call.
    decode_problem problem = decode_problem::none;
    std::size_t skipped = 0;  ///< Bytes of this run of junk; a run may be reported in several pieces.
};

/// Turns received bytes into frames. Sans-I/O; holds one fixed buffer, whatever the peer sends, and never throws on its
/// bytes. Give it bytes (`prepare` and `commit`, or `feed`), then call `next` until it says `need_more`: forgetting to
/// drain it leaves no room for more.
///
/// Zero bytes between frames are padding and are skipped without a word. Not thread-safe.
class frame_decoder {
public:
    VMDSL_DECL frame_decoder();

    /// Room for at least `wire::max_frame` received bytes where `next` was called until `need_more`. Receive into its
    /// front, then `commit` how many came.
    [[nodiscard]] VMDSL_DECL std::span<std::byte> prepare();
    /// Takes over the first `bytes` bytes of what `prepare` returned; more than that are cut off.
    VMDSL_DECL void commit(std::size_t bytes);
    /// Copies as many bytes as there is room for, and returns how many.
    VMDSL_DECL std::size_t feed(std::span<const std::byte> bytes);

    /// The next frame or run of junk.
    [[nodiscard]] VMDSL_DECL decoded next();

    /// From now on skips everything but a frame of this type and epoch, silently (but counted); that frame ends the
    /// skipping. For the `resumed` after a restore, since what comes before it was cut anywhere.
    VMDSL_DECL void scan_for(wire::frame_type type, std::uint32_t epoch);
    /// Whether `scan_for` is still looking.
    [[nodiscard]] bool scanning() const noexcept { return wanted_.has_value(); }

    /// Forgets what was received: for a new connection.
    VMDSL_DECL void reset();

    /// Bytes skipped so far as junk or while scanning, zero padding between frames left out.
    [[nodiscard]] std::uint64_t skipped_bytes() const noexcept { return skipped_; }

private:
    struct wanted {
        wire::frame_type type;
        std::uint32_t epoch;
    };

    [[nodiscard]] std::span<const std::byte> pending() const noexcept {
        return std::span<const std::byte>{buffer_}.subspan(begin_, end_ - begin_);
    }
    VMDSL_DECL decoded examine();
    VMDSL_DECL decoded skip(std::size_t bytes, decode_problem problem);
    VMDSL_DECL std::size_t junk_length() const noexcept;

    std::vector<std::byte> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::uint64_t skipped_ = 0;
    std::optional<wanted> wanted_;
};

/// A frame's payload that consists of fields. The fields keep their order.
///
/// Everything together has to fit into one frame (`fits`); `frame_encoder` throws where it doesn't.
class payload_builder {
public:
    VMDSL_DECL payload_builder& text(wire::tag tag, std::string_view value);
    VMDSL_DECL payload_builder& bytes(wire::tag tag, std::span<const std::byte> value);
    VMDSL_DECL payload_builder& u32(wire::tag tag, std::uint32_t value);
    VMDSL_DECL payload_builder& u64(wire::tag tag, std::uint64_t value);
    /// A field without a value: that it is there is what it says.
    VMDSL_DECL payload_builder& flag(wire::tag tag);

    [[nodiscard]] std::span<const std::byte> view() const noexcept { return bytes_; }
    [[nodiscard]] bool fits() const noexcept { return bytes_.size() <= wire::max_payload; }

private:
    std::vector<std::byte> bytes_;
};

/// Makes frames of the current epoch and appends them to a buffer that the caller sends. Sans-I/O, not thread-safe.
class frame_encoder {
public:
    /// Every later frame carries this epoch. 0 at first; an agent's `hello` says which it listens to.
    void set_epoch(std::uint32_t epoch) noexcept { epoch_ = epoch; }
    [[nodiscard]] std::uint32_t epoch() const noexcept { return epoch_; }

    /// Appends one frame. Throws `usage_error` where the payload is larger than a frame may be: for DATA use `data`,
    /// everything else (a command of 64 KiB, say) has to be sent in another way.
    VMDSL_DECL void frame(std::vector<std::byte>& out, wire::frame_type type, std::uint32_t stream,
                          std::span<const std::byte> payload = {}, wire::channel channel = wire::channel::main) const;
    VMDSL_DECL void frame(std::vector<std::byte>& out, wire::frame_type type, std::uint32_t stream,
                          const payload_builder& payload, wire::channel channel = wire::channel::main) const;
    /// Appends DATA frames with these bytes, as many as it takes. The caller minds the credit. No bytes, no frame.
    VMDSL_DECL void data(std::vector<std::byte>& out, std::uint32_t stream, std::span<const std::byte> bytes,
                         wire::channel channel = wire::channel::main) const;
    /// Appends the zero bytes that bring an agent back to a frame's beginning: one that was not quiesced before its
    /// machine was saved, or one that gets the rest of what was meant for the agent before a reboot.
    VMDSL_DECL void resync_padding(std::vector<std::byte>& out) const;

private:
    std::uint32_t epoch_ = 0;
};

}  // namespace vmdsl

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/guest/impl/frame_codec.ipp>
#endif
