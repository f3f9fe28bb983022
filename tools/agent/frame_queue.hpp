// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <vmdsl/guest/wire.hpp>

namespace vmdsl::agent {

/// Frames on their way to the host. They keep their identity until their last byte is written, so that a resume can
/// give them another epoch and send one again that was cut.
class frame_queue {
public:
    frame_queue() = default;
    frame_queue(const frame_queue&) = delete;
    frame_queue& operator=(const frame_queue&) = delete;
    ~frame_queue();

    void push_back(const wire::header& header, std::span<const std::byte> payload);
    /// In front of everything, so only where nothing of the front frame was written, or after `restart`.
    void push_front(const wire::header& header, std::span<const std::byte> payload);

    /// Copies the next bytes to be written, from as many frames as have room, but none behind the hold.
    [[nodiscard]] std::size_t gather(std::span<std::byte> to) const noexcept;
    /// So many bytes of what `gather` returned were written.
    void written(std::size_t bytes) noexcept;

    /// Nothing behind the frame that is last now is sent until `restart`.
    void hold() noexcept { last_sent_ = last_; }
    [[nodiscard]] bool holding() const noexcept { return last_sent_ != nullptr || held_; }
    /// Lets everything go again, with this epoch; a frame that was not written as a whole is sent from its beginning.
    /// Frames of the control stream are dropped, as they answer a host that is gone, and credit, which starts again.
    void restart(std::uint32_t epoch) noexcept;
    /// A frame that was not written as a whole will be sent from its beginning.
    void rewind() noexcept { offset_ = 0; }

    /// Calls `function(stream, channel, bytes)` for each frame of data.
    template <class Function>
    void for_each_data(Function&& function) const {
        for (const node* each = first_; each != nullptr; each = each->next) {
            wire::header header;
            if (wire::unpack(std::span<const std::byte, wire::header_size>{each->bytes(), wire::header_size}, header) &&
                header.type == wire::frame_type::data) {
                function(header.stream, header.channel, header.length);
            }
        }
    }

    [[nodiscard]] bool empty() const noexcept { return first_ == nullptr; }
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

private:
    struct node {
        node* next;
        std::size_t size;

        [[nodiscard]] std::byte* bytes() noexcept { return reinterpret_cast<std::byte*>(this + 1); }
        [[nodiscard]] const std::byte* bytes() const noexcept { return reinterpret_cast<const std::byte*>(this + 1); }
    };

    [[nodiscard]] static node* make(const wire::header& header, std::span<const std::byte> payload);
    static void restamp(node& frame, std::uint32_t epoch) noexcept;
    void append(node* made) noexcept;
    void pop() noexcept;

    node* first_ = nullptr;
    node* last_ = nullptr;
    node* last_sent_ = nullptr;  ///< The frame behind which sending stops, as long as it is in the queue.
    bool held_ = false;          ///< It has been written: nothing goes.
    std::size_t offset_ = 0;     ///< Bytes of the first frame that were written.
    std::size_t bytes_ = 0;
};

}  // namespace vmdsl::agent
