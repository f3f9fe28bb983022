// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <signal.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <agent/clock.hpp>
#include <agent/command.hpp>
#include <agent/dial.hpp>
#include <agent/file_reader.hpp>
#include <agent/file_status.hpp>
#include <agent/file_writer.hpp>
#include <agent/process_tree.hpp>
#include <agent/session.hpp>
#include <agent/small_file.hpp>
#include <agent/tree_reader.hpp>
#include <agent/tree_writer.hpp>

namespace vmdsl::agent {

namespace {

constexpr int highest_signal = 64;
constexpr int patience_at_the_end_milliseconds = 2000;

constexpr bool is_for_open_stream(wire::frame_type type) noexcept {
    return type == wire::frame_type::data || type == wire::frame_type::end || type == wire::frame_type::credit ||
           type == wire::frame_type::signal || type == wire::frame_type::close || type == wire::frame_type::resize;
}

/// Another one for each agent that starts: what the host had sent to the one before it is dropped as a left-over.
/// Random numbers may not be ready yet when it is the first process of a boot, so it is made of what differs.
std::uint32_t first_epoch() {
    const auto now = clock_nanoseconds(CLOCK_REALTIME) ^ clock_nanoseconds(CLOCK_MONOTONIC) << 1;
    const auto seed = join({read_small_file("/proc/sys/kernel/random/boot_id"), digits{now}, " ", digits{::getpid()}});
    std::uint32_t epoch = 2166136261U;
    for (const char each : seed.view()) {
        epoch = (epoch ^ static_cast<unsigned char>(each)) * 16777619U;
    }
    return epoch;
}

}  // namespace

session::session(unique_fd connection, host_link::kind what, session_options options)
    : options_(static_cast<session_options&&>(options)),
      home_(join({options_.root, "/root"})),
      cgroups_(options_.cgroup_name),
      children_(loop_, *this),
      setup_(options_.root, options_.touch_system),
      link_(loop_, static_cast<unique_fd&&>(connection), what, first_epoch(), *this) {
}

session::~session() {
    for (auto*& first : table_) {
        while (first != nullptr) {
            stream* gone = first;
            first = gone->next_in_table;
            delete gone;
        }
    }
    // What earlier commands left running is a descendant of ours, too.
    signal_process_tree(::getpid(), {}, SIGKILL);
    children_.wait_for_all(patience_at_the_end_milliseconds);
    cgroups_.sweep();
}

void session::run() {
    bool busy = false;
    while (!link_.ended()) {
        const int power = power_.milliseconds_left();
        loop_.wait(busy ? 0 : deferred_.first != nullptr && power != 0 ? 1 : power);
        power_.on_time();
        step_ready_streams();
        const bool more_to_receive = link_.pump();
        busy = more_to_receive || (ready_.first != nullptr && link_.takes_output());
    }
}

/// One round over the streams that asked for it, as long as there is room for their output.
void session::step_ready_streams() {
    while (deferred_.first != nullptr) {
        ready_.append(deferred_.pop());
    }
    stream* const round_end = ready_.last;
    for (bool last = round_end == nullptr; !last && link_.takes_output();) {
        stream& each = ready_.pop();
        last = &each == round_end;
        each.ready = false;
        const auto result = each.finished() ? step_result::idle : each.step();
        // It may have asked for another step itself meanwhile.
        if (result != step_result::idle && !each.ready) {
            each.ready = true;
            (result == step_result::busy ? ready_ : deferred_).append(each);
        }
        if (each.finished()) {
            drop_finished(each);
        }
    }
}

void session::make_ready(stream& which) {
    if (!which.ready) {
        which.ready = true;
        ready_.append(which);
    }
}

void session::stream_list::append(stream& which) noexcept {
    which.next_ready = nullptr;
    (last != nullptr ? last->next_ready : first) = &which;
    last = &which;
}

stream& session::stream_list::pop() noexcept {
    stream& gone = *first;
    first = gone.next_ready;
    if (first == nullptr) {
        last = nullptr;
    }
    return gone;
}

bool session::resolve_path(std::span<const std::byte> payload, text& path) const {
    const auto given = wire::find_field(payload, wire::tag::path).text();
    path = given.starts_with('/') ? text{given} : join({home_, "/", given});
    return !given.empty() && !has_zero_byte(given);
}

stream** session::slot_of(std::uint32_t id) noexcept {
    stream** link = &table_[id % table_.size()];
    while (*link != nullptr && (*link)->id() != id) {
        link = &(*link)->next_in_table;
    }
    return link;
}

stream* session::find(std::uint32_t id) noexcept {
    return *slot_of(id);
}

/// A stream that still stands in the list of ready ones is deleted when its turn comes.
void session::drop_finished(stream& which) {
    if (stream** link = slot_of(which.id()); *link == &which) {
        *link = which.next_in_table;
        --stream_count_;
    }
    if (!which.ready) {
        delete &which;
    }
}

template <class Function>
void session::for_each_stream(Function&& function) {
    for (auto* first : table_) {
        while (first != nullptr) {
            stream* each = first;
            first = each->next_in_table;
            function(*each);
        }
    }
}

void session::protocol_error(std::initializer_list<std::string_view> parts) {
    fields payload;
    payload.put(wire::tag::error_text, join(parts));
    link_.send(wire::frame_type::protocol_error, 0, payload);
}

void session::on_junk() {
    protocol_error({"bytes that are no frame"});
}

void session::on_connected() {
    if (!link_.holding()) {
        say_hello();
    }
}

void session::say_hello() {
    utsname system{};
    ::uname(&system);
    fields payload;
    payload.put32(wire::tag::version, wire::protocol_version);
    payload.put(wire::tag::boot_id, read_small_file("/proc/sys/kernel/random/boot_id"));
    payload.put(wire::tag::kernel, system.release);
    payload.put(wire::tag::features, cgroups_.available() ? "cgroup" : "");
    link_.send_first(wire::frame_type::hello, payload);
}

void session::on_child_exit(int pid, int status) {
    power_.on_child_exit(pid, status);
    bool found = false;
    for_each_stream([&](stream& each) { found = found || each.on_child_exit(pid, status); });
    if (!found) {
        cgroups_.sweep();
    }
}

void session::on_frame(const wire::header& header, std::span<const std::byte> payload) {
    if (header.epoch != link_.epoch() && header.type != wire::frame_type::resume) {
        return;  // A left-over from before a checkpoint.
    }
    if (header.type != wire::frame_type::data && header.type != wire::frame_type::ping && !is_well_formed(payload)) {
        protocol_error({"a frame of type ", digits{static_cast<unsigned>(header.type)}, " has broken fields"});
        return;
    }
    if (header.stream == 0) {
        on_control(header, payload);
    } else {
        on_stream(header, payload);
    }
}

void session::on_control(const wire::header& header, std::span<const std::byte> payload) {
    switch (header.type) {
        case wire::frame_type::configure:
            on_configure(payload);
            break;
        case wire::frame_type::quiesce:
            link_.quiesce();
            break;
        case wire::frame_type::resume:
            on_resume(payload);
            break;
        case wire::frame_type::ping:
            link_.send(wire::frame_type::pong, 0, payload);
            break;
        case wire::frame_type::power: {
            const auto action = static_cast<wire::power>(wire::find_field(payload, wire::tag::power_action).number());
            if (action != wire::power::off && action != wire::power::reboot) {
                protocol_error({"a power frame without a power_action"});
            } else if (!options_.touch_system) {
                protocol_error({"this agent does not touch the system"});
            } else {
                power_.request(action);
            }
            break;
        }
        default:
            protocol_error({"a frame of type ", digits{static_cast<unsigned>(header.type)},
                            " makes no sense on the control stream"});
    }
}

void session::on_configure(std::span<const std::byte> payload) {
    fields answer;
    setup_.configure(payload, answer);
    link_.send(wire::frame_type::configured, 0, answer);
    if (options_.configured) {
        write_all(options_.configured.get(), "c");
        options_.configured.reset();
    }
}

void session::on_resume(std::span<const std::byte> payload) {
    if (!wire::has_field(payload, wire::tag::epoch)) {
        protocol_error({"a resume frame without an epoch"});
        return;
    }
    setup_.resume(payload);
    fields answer;
    for_each_stream([&](stream& each) {
        answer.put32(wire::tag::stream_id, each.id());
        each.restart_credit();
    });
    const auto epoch = wire::find_field(payload, wire::tag::epoch).number();
    link_.resume(static_cast<std::uint32_t>(epoch), answer,
                 [&](std::uint32_t id, wire::channel channel, std::size_t bytes) {
                     if (stream* each = find(id); each != nullptr) {
                         each->charge(channel, bytes);
                     }
                 });
}

void session::on_stream(const wire::header& header, std::span<const std::byte> payload) {
    const bool errors = header.channel == wire::channel::errors;
    if (!errors && header.channel != wire::channel::main) {
        protocol_error({"there is no channel ", digits{static_cast<unsigned>(header.channel)}});
        return;
    }
    if (header.type == wire::frame_type::open) {
        on_open(header.stream, payload);
        return;
    }
    if (!is_for_open_stream(header.type)) {
        protocol_error({"a frame of type ", digits{static_cast<unsigned>(header.type)}, " makes no sense on a stream"});
        return;
    }
    const auto number = wire::find_field(payload, wire::tag::signal_number).number();
    if (header.type == wire::frame_type::signal && (number < 1 || number > highest_signal)) {
        protocol_error({"there is no signal ", digits{number}});
        return;
    }
    stream* found = find(header.stream);
    if (found == nullptr) {
        return;  // It has just ended, and the host did not know yet.
    }
    switch (header.type) {
        case wire::frame_type::data:
            found->take_data(header.channel, payload);
            break;
        case wire::frame_type::end:
            found->take_end(header.channel);
            break;
        case wire::frame_type::credit:
            found->take_credit(header.channel, wire::find_field(payload, wire::tag::bytes).number());
            break;
        case wire::frame_type::signal:
            found->on_signal(static_cast<int>(number), wire::has_field(payload, wire::tag::whole_tree));
            break;
        case wire::frame_type::resize:
            found->on_resize(payload);
            break;
        default:
            found->on_close();
    }
    if (found->finished()) {
        drop_finished(*found);
    }
}

stream* session::make_stream(std::uint32_t id, wire::stream_kind kind) {
    switch (kind) {
        case wire::stream_kind::command:
            return new command{*this, id, command::means::pipes};
        case wire::stream_kind::terminal:
            return new command{*this, id, command::means::terminal};
        case wire::stream_kind::read_file:
            return new file_reader{*this, id};
        case wire::stream_kind::write_file:
            return new file_writer{*this, id};
        case wire::stream_kind::dial:
            return new dialled_stream{*this, id};
        case wire::stream_kind::stat:
            return new file_status{*this, id};
        case wire::stream_kind::read_tree:
            return new tree_reader{*this, id};
        case wire::stream_kind::write_tree:
            return new tree_writer{*this, id};
        default:
            return nullptr;
    }
}

void session::refuse(std::uint32_t id, int error, std::string_view why) {
    fields payload;
    payload.put32(wire::tag::error_number, static_cast<std::uint32_t>(error));
    payload.put(wire::tag::error_text, why);
    link_.send(wire::frame_type::failed, id, payload);
}

void session::on_open(std::uint32_t id, std::span<const std::byte> payload) {
    if (find(id) != nullptr) {
        protocol_error({"stream ", digits{id}, " is open already"});
        return;
    }
    if (stream_count_ >= most_streams) {
        refuse(id, EMFILE, "too many streams are open");
        return;
    }
    const auto kind = wire::find_field(payload, wire::tag::kind).number();
    stream* made = make_stream(id, static_cast<wire::stream_kind>(kind));
    if (made == nullptr) {
        refuse(id, EINVAL, "there is no such kind of stream");
        return;
    }
    made->next_in_table = table_[id % table_.size()];
    table_[id % table_.size()] = made;
    ++stream_count_;
    made->open(payload);
    if (made->finished()) {
        drop_finished(*made);
    }
}

}  // namespace vmdsl::agent
