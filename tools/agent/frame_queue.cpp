// SPDX-License-Identifier: BSL-1.0
#include <cstdlib>
#include <cstring>

#include <agent/frame_queue.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

frame_queue::~frame_queue() {
    while (first_ != nullptr) {
        pop();
    }
}

frame_queue::node* frame_queue::make(const wire::header& header, std::span<const std::byte> payload) {
    const std::size_t size = wire::header_size + payload.size() + wire::trailer_size;
    auto* made = static_cast<node*>(std::malloc(sizeof(node) + size));
    if (made == nullptr) {
        out_of_memory();
    }
    made->next = nullptr;
    made->size = size;
    const auto packed = wire::pack(header);
    const auto trailer = wire::trailer_of(packed);
    std::memcpy(made->bytes(), packed.data(), packed.size());
    if (!payload.empty()) {
        std::memcpy(made->bytes() + packed.size(), payload.data(), payload.size());
    }
    std::memcpy(made->bytes() + packed.size() + payload.size(), trailer.data(), trailer.size());
    return made;
}

void frame_queue::push_back(const wire::header& header, std::span<const std::byte> payload) {
    append(make(header, payload));
}

void frame_queue::append(node* made) noexcept {
    bytes_ += made->size;
    made->next = nullptr;
    (last_ != nullptr ? last_->next : first_) = made;
    last_ = made;
}

void frame_queue::push_front(const wire::header& header, std::span<const std::byte> payload) {
    node* made = make(header, payload);
    bytes_ += made->size;
    made->next = first_;
    first_ = made;
    if (last_ == nullptr) {
        last_ = made;
    }
}

std::size_t frame_queue::gather(std::span<std::byte> to) const noexcept {
    std::size_t size = 0;
    std::size_t offset = offset_;
    for (node* from = held_ ? nullptr : first_; from != nullptr && size < to.size(); from = from->next) {
        const std::size_t left = from->size - offset;
        const std::size_t taken = left < to.size() - size ? left : to.size() - size;
        std::memcpy(to.data() + size, from->bytes() + offset, taken);
        size += taken;
        offset = 0;
        if (from == last_sent_) {
            break;
        }
    }
    return size;
}

void frame_queue::written(std::size_t bytes) noexcept {
    offset_ += bytes;
    while (first_ != nullptr && offset_ >= first_->size) {
        offset_ -= first_->size;
        pop();
    }
}

void frame_queue::pop() noexcept {
    node* gone = first_;
    if (gone == last_sent_) {
        last_sent_ = nullptr;
        held_ = true;
    }
    first_ = gone->next;
    if (first_ == nullptr) {
        last_ = nullptr;
    }
    bytes_ -= gone->size;
    std::free(gone);
}

void frame_queue::restamp(node& frame, std::uint32_t epoch) noexcept {
    wire::put32(frame.bytes() + wire::epoch_offset, epoch);
    const std::uint32_t check = wire::header_check(frame.bytes());
    wire::put32(frame.bytes() + wire::header_size - 4, check);
    wire::put32(frame.bytes() + frame.size - wire::trailer_size, check);
}

void frame_queue::restart(std::uint32_t epoch) noexcept {
    node* rest = first_;
    first_ = last_ = last_sent_ = nullptr;
    held_ = false;
    offset_ = 0;
    bytes_ = 0;
    while (rest != nullptr) {
        node* each = rest;
        rest = each->next;
        const auto type = static_cast<wire::frame_type>(wire::get16(each->bytes() + wire::type_offset));
        if (wire::get32(each->bytes() + wire::stream_offset) == 0 || type == wire::frame_type::credit) {
            std::free(each);
            continue;
        }
        restamp(*each, epoch);
        append(each);
    }
}

}  // namespace vmdsl::agent
