// SPDX-License-Identifier: BSL-1.0
#include <cstring>

#include <agent/frame_reader.hpp>

namespace vmdsl::agent {

std::span<std::byte> frame_reader::room() noexcept {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    return std::span{buffer_}.subspan(end_);
}

/// Whether the pending bytes are the magic number, or the beginning of it as far as they reach.
bool frame_reader::may_be_header() const noexcept {
    std::byte magic[4];
    wire::put32(magic, wire::magic);
    const std::size_t pending = end_ - begin_;
    return std::memcmp(buffer_.data() + begin_, magic, pending < sizeof magic ? pending : sizeof magic) == 0;
}

/// Skips one byte, and all after it that can't begin a frame.
void frame_reader::skip_junk() noexcept {
    do {
        ++begin_;
    } while (begin_ < end_ && !may_be_header() && buffer_[begin_] != std::byte{0});
}

frame_reader::found frame_reader::next(wire::header& header, std::span<const std::byte>& payload) noexcept {
    while (begin_ < end_ && buffer_[begin_] == std::byte{0}) {
        ++begin_;
    }
    if (begin_ == end_) {
        return found::nothing;
    }
    if (!may_be_header()) {
        skip_junk();
        return found::junk;
    }
    const std::span<const std::byte> bytes{buffer_.data() + begin_, end_ - begin_};
    if (bytes.size() < wire::header_size) {
        return found::nothing;
    }
    const auto packed = bytes.first<wire::header_size>();
    if (!wire::unpack(packed, header)) {
        skip_junk();
        return found::junk;
    }
    const std::size_t payload_end = wire::header_size + header.length;
    if (bytes.size() < payload_end + wire::trailer_size) {
        return found::nothing;
    }
    const auto trailer = wire::trailer_of(packed);
    if (std::memcmp(bytes.data() + payload_end, trailer.data(), trailer.size()) != 0) {
        skip_junk();
        return found::cut;
    }
    payload = bytes.subspan(wire::header_size, header.length);
    begin_ += payload_end + wire::trailer_size;
    return found::frame;
}

}  // namespace vmdsl::agent
