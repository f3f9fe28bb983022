// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <agent/agent_process.hpp>

namespace agent_test {

namespace {

constexpr auto patience = std::chrono::seconds{60};
constexpr uid_t ordinary_user = 65534;

int milliseconds_until(std::chrono::steady_clock::time_point until) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

/// In the child. The binary is opened first: its folder may be closed to the ordinary user.
[[noreturn]] void become_agent(run_as mode, int binary, const std::vector<std::string>& arguments) {
    if (mode == run_as::ordinary_user && ::geteuid() == 0 &&
        (::setgroups(0, nullptr) != 0 || ::setgid(ordinary_user) != 0 || ::setuid(ordinary_user) != 0)) {
        ::_exit(120);
    }
    std::vector<char*> argv;
    for (const auto& argument : arguments) {
        argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    ::fexecve(binary, argv.data(), environ);
    ::_exit(121);
}

}  // namespace

temporary_folder::temporary_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "vmdsl-agent-XXXXXX").string();
    BOOST_REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
    std::filesystem::create_directory(path_ / "root");
    std::filesystem::permissions(path_, std::filesystem::perms::all);
    std::filesystem::permissions(path_ / "root", std::filesystem::perms::all);
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::ostream& operator<<(std::ostream& out, run_as mode) {
    switch (mode) {
        case run_as::ourselves:
            return out << "ourselves";
        case run_as::ourselves_without_cgroups:
            return out << "ourselves without cgroups";
        case run_as::ordinary_user:
            return out << "an ordinary user";
    }
    return out;
}

agent_process::agent_process(run_as mode) {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    socket_.reset(ends[0]);
    const vmdsl::unique_fd theirs{ends[1]};
    const vmdsl::unique_fd binary{::open(VMDSL_AGENT_BINARY, O_RDONLY | O_CLOEXEC)};
    BOOST_REQUIRE(static_cast<bool>(binary));
    ::fcntl(theirs.get(), F_SETFD, 0);
    const auto text = arguments(mode, theirs.get());
    pid_ = ::fork();
    BOOST_REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        become_agent(mode, binary.get(), text);
    }
    wait_until([&] { return !control_.empty(); }, "the hello");
}

std::vector<std::string> agent_process::arguments(run_as mode, int fd) const {
    std::vector<std::string> result{"vmdsl-agent",     "--fd",          std::to_string(fd), "--root",
                                    folder().string(), "--no-configure"};
    if (mode == run_as::ourselves_without_cgroups) {
        result.emplace_back("--no-cgroup");
    }
    return result;
}

agent_process::~agent_process() {
    if (pid_ > 0) {
        disconnect();
    }
}

int agent_process::disconnect() {
    socket_.reset();
    int status = 0;
    BOOST_TEST(::waitpid(pid_, &status, 0) == pid_);
    pid_ = -1;
    return status;
}

/// Goes through the outbox, so that nothing sent while a frame is half gone comes between its halves.
void agent_process::send_raw(std::span<const std::byte> what) {
    outbox_.insert(outbox_.end(), what.begin(), what.end());
    flush();
}

void agent_process::flush() {
    std::size_t gone = 0;
    while (gone < outbox_.size()) {
        const auto done =
            ::send(socket_.get(), outbox_.data() + gone, outbox_.size() - gone, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (done < 0) {
            BOOST_REQUIRE(errno == EAGAIN);
            break;
        }
        gone += static_cast<std::size_t>(done);
    }
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(gone));
}

void agent_process::send(wire::frame_type type, std::uint32_t stream, const vmdsl::payload_builder& payload,
                         wire::channel channel) {
    bytes frame;
    encoder_.frame(frame, type, stream, payload, channel);
    send_raw(frame);
}

void agent_process::send_data(std::uint32_t stream, std::string_view what) {
    while (!what.empty()) {
        wait_until([&] { return state(stream).window > 0 && outbox_.size() < wire::initial_credit; }, "credit");
        const auto size = std::min<std::uint64_t>({what.size(), state(stream).window, wire::max_payload});
        bytes frames;
        encoder_.data(frames, stream, std::as_bytes(std::span{what.substr(0, size)}));
        state(stream).window -= size;
        send_raw(frames);
        what.remove_prefix(size);
    }
}

void agent_process::give_credit(std::uint32_t stream, std::uint64_t amount, wire::channel channel) {
    send(wire::frame_type::credit, stream, vmdsl::payload_builder{}.u64(wire::tag::bytes, amount), channel);
}

std::uint32_t agent_process::open(wire::stream_kind kind, vmdsl::payload_builder payload) {
    const auto stream = next_stream_++;
    streams_[stream] = {};
    send(wire::frame_type::open, stream, payload.u32(wire::tag::kind, static_cast<std::uint32_t>(kind)));
    return stream;
}

std::uint32_t agent_process::open_command(std::string_view shell_text, bool no_input) {
    vmdsl::payload_builder payload;
    payload.text(wire::tag::shell_text, shell_text);
    if (no_input) {
        payload.flag(wire::tag::no_input);
    }
    return open(wire::stream_kind::command, std::move(payload));
}

bool agent_process::receive(std::chrono::steady_clock::time_point until, std::string_view what) {
    pollfd waiting{socket_.get(), static_cast<short>(outbox_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
    BOOST_REQUIRE_MESSAGE(::poll(&waiting, 1, milliseconds_until(until)) > 0, "waited in vain for " << what);
    flush();
    if ((waiting.revents & ~POLLOUT) == 0) {
        return true;
    }
    const auto room = decoder_.prepare();
    const auto got = ::recv(socket_.get(), room.data(), room.size(), 0);
    if (got <= 0) {
        return false;
    }
    decoder_.commit(static_cast<std::size_t>(got));
    for (auto found = decoder_.next(); found.status != vmdsl::decode_status::need_more; found = decoder_.next()) {
        BOOST_REQUIRE_MESSAGE(found.status == vmdsl::decode_status::frame, "the agent sent junk");
        take(found.header, found.payload);
    }
    return true;
}

void agent_process::take(const wire::header& header, std::span<const std::byte> payload) {
    if (on_frame) {
        on_frame(header);
    }
    if (header.stream == 0) {
        if (header.type == wire::frame_type::hello) {
            encoder_.set_epoch(header.epoch);
        }
        errors_seen_ += header.type == wire::frame_type::protocol_error ? 1U : 0U;
        control_.push_back({header.type, {payload.begin(), payload.end()}});
        return;
    }
    auto& state = streams_[header.stream];
    const bool main = header.channel == wire::channel::main;
    BOOST_TEST(!state.finished);
    switch (header.type) {
        case wire::frame_type::opened:
            state.opened = true;
            state.pid = static_cast<std::uint32_t>(wire::find_field(payload, wire::tag::pid).number());
            state.size = wire::find_field(payload, wire::tag::size).number();
            break;
        case wire::frame_type::data: {
            const std::string_view text{reinterpret_cast<const char*>(payload.data()), payload.size()};
            BOOST_TEST(!(main ? state.out_ended : state.err_ended));
            (main ? state.out : state.err) += text;
            if (automatic_credit) {
                give_credit(header.stream, payload.size(), header.channel);
            }
            break;
        }
        case wire::frame_type::end:
            (main ? state.out_ended : state.err_ended) = true;
            break;
        case wire::frame_type::credit:
            state.window += wire::find_field(payload, wire::tag::bytes).number();
            BOOST_TEST(state.window <= wire::initial_credit);
            break;
        case wire::frame_type::exit:
        case wire::frame_type::failed:
            take_final(state, header, payload);
            break;
        default:
            BOOST_ERROR("unexpected frame of type " << static_cast<int>(header.type));
    }
}

void agent_process::take_final(stream_state& state, const wire::header& header, std::span<const std::byte> payload) {
    state.finished = true;
    state.final_payload.assign(payload.begin(), payload.end());
    state.lingering = wire::has_field(payload, wire::tag::lingering);
    const auto number = [&](wire::tag tag) -> std::optional<std::uint32_t> {
        if (!wire::has_field(payload, tag)) {
            return std::nullopt;
        }
        return static_cast<std::uint32_t>(wire::find_field(payload, tag).number());
    };
    state.exit_code = number(wire::tag::exit_code);
    state.signal = number(wire::tag::signal_number);
    state.error_number = number(wire::tag::error_number);
    BOOST_TEST((header.type == wire::frame_type::failed) == state.error_number.has_value());
}

void agent_process::wait_until(const std::function<bool()>& predicate, std::string_view what) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!predicate()) {
        BOOST_REQUIRE_MESSAGE(receive(until, what), "the agent hung up while waiting for " << what);
    }
}

stream_state& agent_process::wait_for_end(std::uint32_t stream) {
    wait_until([&] { return state(stream).finished; }, "the end of a stream");
    return state(stream);
}

stream_state& agent_process::wait_for_opened(std::uint32_t stream) {
    wait_until([&] { return state(stream).opened || state(stream).finished; }, "a stream to open");
    BOOST_REQUIRE(state(stream).opened);
    return state(stream);
}

stream_state& agent_process::run(std::string_view shell_text) {
    return wait_for_end(open_command(shell_text));
}

bytes agent_process::wait_for_control(wire::frame_type type) {
    const auto found = [&] { return std::ranges::find(control_, type, &control_frame::type); };
    wait_until([&] { return found() != control_.end(); }, "a control frame");
    bytes payload = std::move(found()->payload);
    control_.erase(control_.begin(), found() + 1);
    return payload;
}

void agent_process::settle() {
    vmdsl::payload_builder payload;
    payload.u32(wire::tag::epoch, ++pings_);
    send(wire::frame_type::ping, 0, payload);
    const auto expected = payload.view();
    const auto answer = wait_for_control(wire::frame_type::pong);
    BOOST_TEST(std::ranges::equal(answer, expected));
}

std::vector<std::uint32_t> agent_process::resume(std::uint32_t epoch, bool padding) {
    scan_for_resumed(epoch);
    set_epoch(epoch);
    bytes request;
    if (padding) {
        encoder_.resync_padding(request);
    }
    encoder_.frame(request, wire::frame_type::resume, 0, vmdsl::payload_builder{}.u32(wire::tag::epoch, epoch));
    for (auto& [stream, state] : streams_) {
        state.window = wire::initial_credit;
    }
    send_raw(request);
    const auto payload = wait_for_control(wire::frame_type::resumed);
    std::vector<std::uint32_t> streams;
    std::span<const std::byte> rest{payload};
    for (wire::field field; wire::next_field(rest, field);) {
        if (field.tag == wire::tag::stream_id) {
            streams.push_back(static_cast<std::uint32_t>(field.number()));
        }
    }
    std::ranges::sort(streams);
    return streams;
}

void wait_until_gone(pid_t pid) {
    const vmdsl::unique_fd process{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
    if (!process) {
        BOOST_TEST(errno == ESRCH);
        return;
    }
    pollfd waiting{process.get(), POLLIN, 0};
    BOOST_TEST(::poll(&waiting, 1, static_cast<int>(std::chrono::milliseconds{patience}.count())) == 1);
}

pid_t parse_pid(std::string_view line) {
    pid_t pid = -1;
    const auto end = std::ranges::find(line, '\n');
    std::from_chars(line.data(), line.data() + (end - line.begin()), pid);
    BOOST_REQUIRE(pid > 1);
    return pid;
}

}  // namespace agent_test
