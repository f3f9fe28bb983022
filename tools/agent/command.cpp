// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <agent/clock.hpp>
#include <agent/command.hpp>
#include <agent/output_sink.hpp>
#include <agent/process_tree.hpp>
#include <agent/session.hpp>
#include <agent/terminal.hpp>

namespace vmdsl::agent {

namespace {

bool make_pipe(unique_fd& read_end, unique_fd& write_end) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
        return false;
    }
    read_end = unique_fd{ends[0]};
    write_end = unique_fd{ends[1]};
    return true;
}

/// Our end only: the command's own end stays as programs expect it.
void make_non_blocking(const unique_fd& fd) {
    ::fcntl(fd.get(), F_SETFL, O_NONBLOCK);
}

bool has_no_writer(int pipe) {
    pollfd asked{pipe, POLLIN, 0};
    return ::poll(&asked, 1, 0) > 0 && (asked.revents & POLLHUP) != 0;
}

/// What lies in it now. In a terminal bytes may still be on their way through the kernel, which a poll waits for.
std::size_t bytes_left(int fd) {
    static_cast<void>(has_no_writer(fd));
    return bytes_waiting(fd);
}

constexpr std::size_t index_of(wire::channel channel) noexcept {
    return channel == wire::channel::main ? 0 : 1;
}

}  // namespace

command::command(session& owner, std::uint32_t id, means with) noexcept
    : stream(owner, id),
      with_(with),
      starting_(owner.loop(), *this),
      input_(owner.loop(), *this),
      outputs_{output_state{watched_fd{owner.loop(), *this}}, output_state{watched_fd{owner.loop(), *this}}} {
}

command::~command() {
    if (pid_ > 0 && !exited_) {
        kill_tree();
    }
    owner().cgroups().retire(static_cast<command_cgroup&&>(cgroup_));
}

text command::mark() const {
    return join({digits{::getpid()}, ".", digits{id()}, ".", digits{started_at_}});
}

/// False where a text holds a zero byte, or nothing to run was named.
bool command::read_request(std::span<const std::byte> payload, spawn_request& request) {
    for (char** variable = default_environment(); *variable != nullptr; ++variable) {
        request.environment.add(*variable);
    }
    request.environment.set_variable(join({"HOME=", owner().home()}));
    request.directory = text{owner().home()};
    for (wire::field field; wire::next_field(payload, field);) {
        const auto value = field.text();
        if (has_zero_byte(value) && (field.tag == wire::tag::shell_text || field.tag == wire::tag::argument ||
                                     field.tag == wire::tag::directory || field.tag == wire::tag::environment)) {
            return false;
        }
        switch (field.tag) {
            case wire::tag::shell_text:
                for (const std::string_view argument : {std::string_view{"/bin/sh"}, std::string_view{"-c"}, value}) {
                    request.arguments.add(argument);
                }
                break;
            case wire::tag::argument:
                request.arguments.add(value);
                break;
            case wire::tag::directory:
                request.directory = value.starts_with('/') ? text{value} : join({owner().home(), "/", value});
                request.default_directory = false;
                break;
            case wire::tag::environment:
                if (value.find('=') == std::string_view::npos) {
                    return false;
                }
                request.environment.set_variable(value);
                break;
            case wire::tag::no_input:
                no_input_ = true;
                break;
            default:
                break;
        }
    }
    return request.arguments.size() > 0;
}

void command::open(std::span<const std::byte> payload) {
    spawn_request request;
    if (!read_request(payload, request)) {
        fail(EINVAL, "a command needs a text or arguments, without zero bytes");
        return;
    }
    start(request, payload);
}

/// False, with errno set, where the system gives none.
bool command::make_streams(streams& made, std::span<const std::byte> payload) {
    if (with_ == means::terminal) {
        terminal_ends terminal;
        if (!make_terminal(terminal, payload)) {
            return false;
        }
        made.our_input = unique_fd{::fcntl(terminal.master.get(), F_DUPFD_CLOEXEC, 0)};
        made.our_output = static_cast<unique_fd&&>(terminal.master);
        made.output = static_cast<unique_fd&&>(terminal.slave);
        return static_cast<bool>(made.our_input);
    }
    return (no_input_ || make_pipe(made.input, made.our_input)) && make_pipe(made.our_output, made.output) &&
           make_pipe(made.our_errors, made.errors);
}

void command::start(spawn_request& request, std::span<const std::byte> payload) {
    streams made;
    unique_fd our_failure;
    unique_fd failure;
    if (!make_streams(made, payload) || !make_pipe(our_failure, failure)) {
        fail(errno, with_ == means::terminal ? "pseudo-terminal" : "pipe");
        return;
    }
    started_at_ = monotonic_nanoseconds();
    cgroup_ = owner().cgroups().make(id());
    if (!cgroup_) {
        request.environment.set_variable(join({tree_mark, "=", mark()}));
    }
    request.terminal = with_ == means::terminal;
    request.input = request.terminal ? made.output.get() : made.input.get();
    request.output = made.output.get();
    request.errors = request.terminal ? made.output.get() : made.errors.get();
    request.failure = failure.get();
    request.cgroup = &cgroup_;
    pid_ = spawn(request);
    if (pid_ < 0) {
        fail(errno, "fork");
        return;
    }
    for (const auto* ours : {&made.our_input, &made.our_output, &made.our_errors, &our_failure}) {
        if (*ours) {
            make_non_blocking(*ours);
        }
    }
    failure.reset();
    if (made.our_input) {
        input_.open(static_cast<unique_fd&&>(made.our_input));
    }
    outputs_[0].pipe.open(static_cast<unique_fd&&>(made.our_output));
    if (made.our_errors) {
        outputs_[1].pipe.open(static_cast<unique_fd&&>(made.our_errors));
    }
    outputs_[1].done = with_ == means::terminal;
    starting_.open(static_cast<unique_fd&&>(our_failure));
}

/// The pipe is closed by a successful execve, or brings the reason of a failed one.
void command::check_start() {
    if (!starting_.readable()) {
        return;
    }
    int message[2];
    const ssize_t got = ::read(starting_.get(), message, sizeof message);
    if (got < 0) {
        starting_.drained(true);
        return;
    }
    starting_.close();
    if (got == sizeof message) {
        fail(message[0], message[1] == static_cast<int>(spawn_step::execute) ? "cannot execute the program"
                                                                             : "cannot enter the directory");
        return;
    }
    fields payload;
    payload.put32(wire::tag::pid, static_cast<std::uint32_t>(pid_));
    opened(payload);
}

step_result command::step() {
    if (starting_.is_open()) {
        check_start();
    }
    if (starting_.is_open() || finished()) {
        return step_result::idle;
    }
    if (closing_) {
        if (exited_) {
            finish_command();
        }
        return step_result::idle;
    }
    feed_input();
    const auto output = drain(wire::channel::main);
    const auto errors = drain(wire::channel::errors);
    if (exited_ && outputs_[0].done && outputs_[1].done) {
        finish_command();
        return step_result::idle;
    }
    return output == step_result::busy || errors == step_result::idle ? output : errors;
}

void command::feed_input() {
    while (input_.is_open() && input_.writable() && !input_bytes_.empty()) {
        const auto bytes = input_bytes_.view();
        const ssize_t done = ::write(input_.get(), bytes.data(), bytes.size());
        if (done >= 0) {
            input_bytes_.drop(static_cast<std::size_t>(done));
            consumed(static_cast<std::size_t>(done));
        } else if (errno == EAGAIN) {
            input_.filled();
        } else if (errno != EINTR) {
            // Nobody will read it any more; the host learns that from the command's end.
            consumed(input_bytes_.size());
            input_bytes_.drop(input_bytes_.size());
            input_.close();
        }
    }
    if (input_ending_ && input_bytes_.empty()) {
        input_.close();
    }
}

step_result command::drain(wire::channel channel) {
    auto& from = outputs_[index_of(channel)];
    if (from.done || (!exited_ && !from.pipe.readable())) {
        return step_result::idle;
    }
    if (exited_ && from.last_bytes == 0) {
        finish_output(channel);
        return from.done ? step_result::idle : step_result::busy;
    }
    std::size_t wanted = credit(channel);
    if (exited_ && from.last_bytes < wanted) {
        wanted = from.last_bytes;
    }
    if (wanted == 0) {
        return step_result::idle;
    }
    if (!exited_ && !from.pipe.hung_up() && from.pace.should_wait(from.pipe.get(), wanted)) {
        from.pipe.mute();
        return step_result::later;
    }
    static std::byte bytes[wire::max_payload];
    const ssize_t got = ::read(from.pipe.get(), bytes, wanted);
    if (got > 0) {
        const auto size = static_cast<std::size_t>(got);
        send_data(channel, {bytes, size});
        from.pace.sent();
        from.last_bytes -= exited_ ? size : 0;
        if (size < wanted) {
            from.pipe.drained(false);
        }
        return exited_ || from.pipe.readable() ? step_result::busy : step_result::idle;
    }
    if (got < 0 && errno == EINTR) {
        return step_result::busy;
    }
    if (got < 0 && errno == EAGAIN) {
        from.pipe.drained(true);
        from.last_bytes = 0;
        return exited_ ? step_result::busy : step_result::idle;
    }
    from.pipe.close();
    from.done = true;
    send_end(channel);
    return step_result::idle;
}

/// What the process had written was delivered. If others write to the pipe, they get another reader.
void command::finish_output(wire::channel channel) {
    auto& from = outputs_[index_of(channel)];
    from.lingering = !has_no_writer(from.pipe.get());
    from.last_bytes = from.lingering ? 0 : bytes_waiting(from.pipe.get());
    if (from.last_bytes > 0) {
        return;
    }
    if (from.lingering) {
        output_sink::adopt(owner().loop(), from.pipe.release());
    }
    from.pipe.close();
    from.done = true;
    send_end(channel);
}

void command::on_data(std::span<const std::byte> bytes) {
    if (!input_.is_open()) {
        consumed(bytes.size());
        return;
    }
    input_bytes_.append(bytes);
    need_step();
}

/// A terminal has no end of input: what ends a program there is a key.
void command::on_end() {
    input_ending_ = with_ == means::pipes;
    need_step();
}

void command::on_resize(std::span<const std::byte> payload) {
    if (with_ == means::terminal && input_.is_open()) {
        set_terminal_size(input_.get(), payload);
    }
}

void command::kill_tree() {
    if (cgroup_) {
        cgroup_.signal(SIGKILL);
    } else {
        signal_process_tree(exited_ ? -1 : pid_, mark(), SIGKILL);
    }
}

void command::on_signal(int number, bool whole_tree) {
    if (whole_tree && cgroup_) {
        cgroup_.signal(number);
    } else if (whole_tree) {
        signal_process_tree(exited_ ? -1 : pid_, mark(), number);
    } else if (!exited_) {
        ::kill(pid_, number);
    }
}

void command::on_close() {
    closing_ = true;
    kill_tree();
    need_step();
}

bool command::on_child_exit(int pid, int status) {
    if (pid != pid_ || exited_) {
        return false;
    }
    exited_ = true;
    status_ = status;
    run_time_ = monotonic_nanoseconds() - started_at_;
    for (auto& each : outputs_) {
        each.last_bytes = each.done ? 0 : bytes_left(each.pipe.get());
    }
    need_step();
    return true;
}

void command::finish_command() {
    fields payload;
    if (WIFSIGNALED(status_)) {
        payload.put32(wire::tag::signal_number, static_cast<std::uint32_t>(WTERMSIG(status_)));
    } else {
        payload.put32(wire::tag::exit_code, static_cast<std::uint32_t>(WEXITSTATUS(status_)));
    }
    payload.put64(wire::tag::nanoseconds, run_time_);
    if (outputs_[0].lingering || outputs_[1].lingering) {
        payload.flag(wire::tag::lingering);
    }
    finish(payload);
}

}  // namespace vmdsl::agent
