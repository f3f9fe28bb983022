// SPDX-License-Identifier: BSL-1.0
#pragma once

/// The wire format between the host and the guest agent. The one header that both sides share, so it uses nothing but
/// the language and four small standard headers, allocates nothing and throws nothing.
///
/// Both directions carry frames: a header of 24 bytes, up to 64 KiB of payload and a trailer of 4 bytes that repeats
/// the header's check, all numbers little-endian. Frames belong to streams. Stream 0 is the control stream; every other
/// stream is opened by the host under an id of the host's choice, lives until the agent's final `exit` or `failed`
/// frame, and keeps its id over a checkpoint, so that a restored host can attach to it again. Many streams run at once.
///
/// Flow control: each direction of each channel of a stream starts with `initial_credit` bytes. A sender never has
/// more unacknowledged DATA bytes under way; the receiver hands out more with `credit` as it consumes.
///
/// Resume: after a restore the host sends `resume` with a fresh epoch (best a random one: then nothing that a guest
/// program printed can look like a frame of it), and the agent stamps every later frame with it. A `resume` starts the
/// credit of every channel again at `initial_credit`, in both directions, whatever was under way, so that whoever
/// restores needs to know nothing about the streams but their ids. Frames of another epoch are left-overs from before
/// the checkpoint, and are dropped. A checkpoint of a machine that was not quiesced may have cut a frame in two, so the
/// host sends `resync_padding` zero bytes before such a `resume`: they fill up whatever payload the agent was waiting
/// for (the trailer tells that such a frame was cut, so it is never acted on), and outside a frame zero bytes are
/// skipped. The host in its turn skips everything until the `resumed` of the epoch that it asked for.
///
/// `hello` says that an agent started or that it saw a host connect. The host adopts its epoch, which is another one
/// for each agent that starts: so what was meant for the agent before a reboot is dropped. Until the first frame of its
/// epoch an agent skips what is no frame silently, and after a reboot the host begins with `resync_padding` zero bytes.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace vmdsl::wire {

/// Raised by every change that an older peer would misread. Sent in `hello`; the host refuses another one.
inline constexpr std::uint32_t protocol_version = 1;

inline constexpr std::uint32_t magic = 0x31444d56;  ///< "VMD1" in memory order.
inline constexpr std::size_t header_size = 24;
inline constexpr std::size_t stream_offset = 8;  ///< Of the stream's number in the header.
inline constexpr std::size_t epoch_offset = 12;
inline constexpr std::size_t type_offset = 16;
inline constexpr std::size_t trailer_size = 4;
inline constexpr std::size_t max_payload = std::size_t{64} * 1024;
inline constexpr std::size_t max_frame = header_size + max_payload + trailer_size;
inline constexpr std::size_t initial_credit = std::size_t{256} * 1024;
inline constexpr std::size_t resync_padding = max_frame;

/// Names of the virtio-serial ports, found in the guest under /sys/class/virtio-ports/*/name.
inline constexpr std::string_view agent_port = "org.vmdsl.agent";
/// Reserved for bulk data: part of the device list from the start, since that list is a checkpoint's format.
inline constexpr std::string_view bulk_port = "org.vmdsl.bulk";

/// What a frame says. C: stream 0. S: any other stream. h: the host sends it, a: the agent does.
enum class frame_type : std::uint16_t {
    hello = 1,       ///< C a: after the agent started. Fields: version, boot_id, kernel, features.
    configure = 2,   ///< C h: answer to hello. Fields: host_name, machine_id, interface*, hosts, wall_time, entropy.
    configured = 3,  ///< C a: configure is done. Fields: error_text* for what did not work.
    quiesce = 4,     ///< C h: finish what is being sent, then send nothing until resume.
    quiesced = 5,    ///< C a: last frame before resume.
    resume = 6,      ///< C h: fields: epoch, wall_time, entropy, announce. Accepted whatever epoch its header has.
    resumed = 7,     ///< C a: first frame of the new epoch. Fields: stream_id* of the streams that live on.
    ping = 8,        ///< C h: answered by pong with the same payload.
    pong = 9,        ///< C a.
    power = 10,      ///< C h: fields: power_action. The agent syncs, then asks the init system; no answer.
    protocol_error = 11,  ///< C a: a frame of the host made no sense. Fields: error_text.

    open = 16,    ///< S h: fields: kind, and those of the kind.
    opened = 17,  ///< S a: it runs. Fields: pid (command), size (read_file).
    data = 18,    ///< S both: raw bytes of `channel`.
    end = 19,     ///< S both: no more data on `channel`.
    credit = 20,  ///< S both: fields: bytes; for `channel`.
    signal = 21,  ///< S h: fields: signal_number, whole_tree.
    close = 22,   ///< S h: forget the stream; a command's whole tree is killed, a file or connection closed. The agent
                  ///<      still answers with exit or failed.
    exit = 23,    ///< S a: final. Fields: exit_code or signal_number, nanoseconds, lingering (command); size, mode
                  ///<      (stat).
    failed = 24,  ///< S a: final. Fields: error_number (errno), error_text.
    resize = 25,  ///< S h: a terminal's new size. Fields: rows, columns.
};

/// Channel of `data`, `end` and `credit` frames.
enum class channel : std::uint16_t {
    main = 0,    ///< Standard input (to the agent), standard output (from it); a file's or a connection's bytes.
    errors = 1,  ///< Standard error.
};

/// What an opened stream is.
enum class stream_kind : std::uint32_t {
    command = 1,     ///< Fields: shell_text (run by /bin/sh -c) or argument*; directory, environment*, no_input.
    read_file = 2,   ///< Fields: path. The agent sends data, end(main), exit.
    write_file = 3,  ///< Fields: path, mode, append. The host sends data, end(main); the agent answers exit after
                     ///< close(2).
    dial = 4,        ///< Fields: network ("tcp", "udp", "unix"), address, port. opened once connected; end(main) shuts
                     ///< one direction down. udp: one datagram per data frame; ends by close only.
    stat = 5,        ///< Fields: path. exit with size, mode (type bits included), or failed with the errno.
    terminal = 6,    ///< A command on a pseudo-terminal of its own. Fields: those of a command, but for no_input; rows,
                     ///< columns. Data goes both ways on the channel main only; the host's end says nothing.
    read_tree = 7,   ///< Fields: path of a file or folder. The agent sends it as a tree (below), end(main), exit.
    write_tree = 8,  ///< Fields: path. The host sends a tree, end(main); the agent answers exit.
};

// A tree's bytes are pieces: a length of 32 bits, at most max_payload, and so many bytes. A piece is an entry, which
// has the fields path (relative to the tree's root, whose own is empty), mode (type bits included) and, of a symbolic
// link, target; or a part of the content of the regular file whose entry came before, which an empty piece ends. A
// folder comes before what is in it. Sockets, pipes and devices are only told of, by their entries, and only by the
// agent.

/// Field tags. A field is tag (16 bits), length (32 bits), bytes. Unknown tags are skipped.
enum class tag : std::uint16_t {
    version = 1,         // u32
    boot_id = 2,         // text; another one after each boot
    kernel = 3,          // text, uname -r
    features = 4,        // text, space-separated: "cgroup" where commands get their own cgroup
    host_name = 5,       // text
    machine_id = 6,      // text, 32 hex digits
    interface = 7,       // text: "52:54:00:12:01:01 192.168.1.1/24 fd00:1::1/64"
    hosts = 8,           // text: lines of /etc/hosts to be added to localhost's
    wall_time = 9,       // u64, nanoseconds since 1970
    entropy = 10,        // bytes for the kernel's random number generator
    epoch = 11,          // u32
    stream_id = 12,      // u32
    power_action = 13,   // u32, enum power
    error_text = 14,     // text
    error_number = 15,   // u32, errno
    kind = 16,           // u32, enum stream_kind
    shell_text = 17,     // text
    argument = 18,       // text, repeated
    directory = 19,      // text; default the agent's home, /root
    environment = 20,    // text NAME=value, repeated
    no_input = 21,       // flag (empty): standard input is /dev/null
    path = 22,           // text; relative ones are resolved against /root
    mode = 23,           // u32, permission bits; default 0644
    append = 24,         // flag
    network = 25,        // text
    address = 26,        // text: numeric IPv4 or IPv6 address, or a unix socket's path
    port = 27,           // u32
    bytes = 28,          // u64
    signal_number = 29,  // u32
    whole_tree = 30,     // flag: every process of the command's tree, also those that left its process group
    pid = 31,            // u32
    size = 32,           // u64
    exit_code = 33,      // u32
    lingering = 34,      // flag: processes of the tree still held the output open when the command itself had ended
    nanoseconds = 35,    // u64, how long the command ran in the guest
    announce = 36,       // flag: tell switches and neighbours where the machine's addresses are
    rows = 37,           // u32, of a terminal, 1 to 65535; default 24
    columns = 38,        // u32; default 80
    target = 39,         // text: where a symbolic link leads
};

enum class power : std::uint32_t {
    off = 1,
    reboot = 2,
};

/// A frame's header, unpacked.
struct header {
    std::uint32_t length = 0;  ///< Payload bytes, at most max_payload.
    std::uint32_t stream = 0;
    std::uint32_t epoch = 0;
    frame_type type{};
    vmdsl::wire::channel channel{};
};

constexpr void put16(std::byte* to, std::uint16_t v) noexcept {
    to[0] = static_cast<std::byte>(v & 0xff);
    to[1] = static_cast<std::byte>(v >> 8);
}
constexpr void put32(std::byte* to, std::uint32_t v) noexcept {
    for (unsigned i = 0; i < 4; ++i) {
        to[i] = static_cast<std::byte>((v >> (8 * i)) & 0xff);
    }
}
constexpr void put64(std::byte* to, std::uint64_t v) noexcept {
    put32(to, static_cast<std::uint32_t>(v));
    put32(to + 4, static_cast<std::uint32_t>(v >> 32));
}
[[nodiscard]] constexpr std::uint16_t get16(const std::byte* from) noexcept {
    return static_cast<std::uint16_t>(static_cast<unsigned>(from[0]) | static_cast<unsigned>(from[1]) << 8);
}
[[nodiscard]] constexpr std::uint32_t get32(const std::byte* from) noexcept {
    std::uint32_t v = 0;
    for (unsigned i = 0; i < 4; ++i) {
        v |= static_cast<std::uint32_t>(from[i]) << (8 * i);
    }
    return v;
}
[[nodiscard]] constexpr std::uint64_t get64(const std::byte* from) noexcept {
    return get32(from) | static_cast<std::uint64_t>(get32(from + 4)) << 32;
}

/// FNV-1a over the first 20 header bytes: enough to tell a header from other bytes while looking for the next one.
[[nodiscard]] constexpr std::uint32_t header_check(const std::byte* bytes) noexcept {
    std::uint32_t h = 2166136261U;
    for (std::size_t i = 0; i < header_size - 4; ++i) {
        h = (h ^ static_cast<std::uint32_t>(bytes[i])) * 16777619U;
    }
    return h;
}

/// Layout: magic, length, stream, epoch (32 bits each), type, channel (16 bits each), check (32 bits).
[[nodiscard]] constexpr std::array<std::byte, header_size> pack(const header& h) noexcept {
    std::array<std::byte, header_size> out{};
    put32(out.data(), magic);
    put32(out.data() + 4, h.length);
    put32(out.data() + 8, h.stream);
    put32(out.data() + 12, h.epoch);
    put16(out.data() + 16, static_cast<std::uint16_t>(h.type));
    put16(out.data() + 18, static_cast<std::uint16_t>(h.channel));
    put32(out.data() + 20, header_check(out.data()));
    return out;
}

/// What follows the payload: the header's check once more. A frame that was cut and filled up with zeros lacks it.
/// `packed` is the header as `pack` made it.
[[nodiscard]] constexpr std::array<std::byte, trailer_size> trailer_of(
    std::span<const std::byte, header_size> packed) noexcept {
    std::array<std::byte, trailer_size> out{};
    put32(out.data(), get32(packed.data() + header_size - 4));
    return out;
}

/// True and `out` filled where the 24 bytes are a header with a sane length.
[[nodiscard]] constexpr bool unpack(std::span<const std::byte, header_size> bytes, header& out) noexcept {
    if (get32(bytes.data()) != magic || get32(bytes.data() + 20) != header_check(bytes.data())) {
        return false;
    }
    out.length = get32(bytes.data() + 4);
    out.stream = get32(bytes.data() + 8);
    out.epoch = get32(bytes.data() + 12);
    out.type = static_cast<frame_type>(get16(bytes.data() + 16));
    out.channel = static_cast<vmdsl::wire::channel>(get16(bytes.data() + 18));
    return out.length <= max_payload;
}

/// One field of a payload.
struct field {
    vmdsl::wire::tag tag{};
    std::span<const std::byte> value;

    [[nodiscard]] std::string_view text() const noexcept {
        return {reinterpret_cast<const char*>(value.data()), value.size()};
    }
    /// The value as a number, 0 where it has not 4 or 8 bytes.
    [[nodiscard]] constexpr std::uint64_t number() const noexcept {
        return value.size() == 8 ? get64(value.data()) : value.size() == 4 ? get32(value.data()) : 0;
    }
};

inline constexpr std::size_t field_header_size = 6;

/// Takes the next field off the front of `payload`. False at its end, and where what is left is no field.
[[nodiscard]] constexpr bool next_field(std::span<const std::byte>& payload, field& out) noexcept {
    if (payload.size() < field_header_size) {
        return false;
    }
    const std::size_t length = get32(payload.data() + 2);
    if (length > payload.size() - field_header_size) {
        return false;
    }
    out.tag = static_cast<vmdsl::wire::tag>(get16(payload.data()));
    out.value = payload.subspan(field_header_size, length);
    payload = payload.subspan(field_header_size + length);
    return true;
}

/// The first field with this tag; `value` is empty where there is none.
[[nodiscard]] constexpr field find_field(std::span<const std::byte> payload, tag wanted) noexcept {
    field f;
    while (next_field(payload, f)) {
        if (f.tag == wanted) {
            return f;
        }
    }
    return {wanted, {}};
}

/// Whether a field with this tag is there, a flag for example.
[[nodiscard]] constexpr bool has_field(std::span<const std::byte> payload, tag wanted) noexcept {
    field f;
    while (next_field(payload, f)) {
        if (f.tag == wanted) {
            return true;
        }
    }
    return false;
}

}  // namespace vmdsl::wire
