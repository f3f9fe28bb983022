// SPDX-License-Identifier: BSL-1.0
#include "conversation.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/control_channel.hpp>
#include <vmdsl/process/unique_fd.hpp>

namespace vmdsl::cli {

namespace {

using vmdsl::detail::control_channel;
using vmdsl::detail::control_kind;

constexpr char leave_key = 0x1d;  // Ctrl-]

termios modes_at_start{};

/// Async-signal-safe.
extern "C" void put_back_modes_and_end(int number) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &modes_at_start);
    ::signal(number, SIG_DFL);
    ::raise(number);
}

/// While it lives, keys come one by one and as they are.
class raw_terminal {
public:
    raw_terminal() {
        ::tcgetattr(STDIN_FILENO, &before_);
        auto raw = before_;
        ::cfmakeraw(&raw);
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    ~raw_terminal() { ::tcsetattr(STDIN_FILENO, TCSADRAIN, &before_); }
    raw_terminal(const raw_terminal&) = delete;
    raw_terminal& operator=(const raw_terminal&) = delete;

private:
    termios before_{};
};

/// SIGWINCH as something to poll for.
class size_changes {
public:
    size_changes() {
        sigset_t set;
        ::sigemptyset(&set);
        ::sigaddset(&set, SIGWINCH);
        ::sigprocmask(SIG_BLOCK, &set, &before_);
        fd_.reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    }
    ~size_changes() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
    size_changes(const size_changes&) = delete;
    size_changes& operator=(const size_changes&) = delete;

    [[nodiscard]] int descriptor() const noexcept { return fd_.get(); }
    void take() const noexcept {
        signalfd_siginfo info{};
        while (::read(fd_.get(), &info, sizeof info) > 0) {
        }
    }

private:
    sigset_t before_{};
    unique_fd fd_;
};

std::string size_text() {
    winsize size{};
    const bool known = ::ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;
    return known ? std::to_string(size.ws_row) + " " + std::to_string(size.ws_col) : std::string("24 80");
}

/// What a request says of our terminal; empty where input or output is none.
std::string terminal_text() {
    if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
        return {};
    }
    const char* type = std::getenv("TERM");
    return size_text() + " " + (type != nullptr && *type != '\0' ? type : "dumb");
}

void write_whole(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto n = ::write(fd, text.data(), text.size());
        if (n < 0 && errno != EINTR) {
            return;  // nobody looks any more
        }
        text.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
}

class conversation {
public:
    conversation(const std::filesystem::path& network, std::string_view line, input_use input)
        : channel_(vmdsl::detail::connect_to_control(network)), takes_input_(input == input_use::forwarded) {
        const auto terminal = terminal_text();
        takes_input_ = takes_input_ && terminal.empty();  // else when the guest's terminal is there
        channel_.queue(control_kind::request, terminal + "\n" + std::string(line));
        if (terminal.empty() && !takes_input_) {
            channel_.queue(control_kind::input_end);
        }
        channel_.send_queued();
    }

    int run() {
        // Never waits until the network takes our input: it may wait until we take the output.
        while (!code_) {
            const bool sends = channel_.has_queued();
            std::array<pollfd, 4> entries{{{channel_.descriptor(), POLLIN, 0},
                                           {sends ? channel_.descriptor() : -1, POLLOUT, 0},
                                           {sizes_.descriptor(), POLLIN, 0},
                                           {looks_at_input() ? STDIN_FILENO : -1, POLLIN, 0}}};
            ::poll(entries.data(), entries.size(), -1);
            if (entries[2].revents != 0) {
                sizes_.take();
                channel_.queue(control_kind::resize, size_text());
            }
            if (entries[3].revents != 0) {
                take_input();
            }
            if (entries[0].revents != 0) {
                take_message();
            }
            channel_.send_queued();
        }
        return *code_;
    }

private:
    /// A program's output waits until it is wanted. A person's keys are always looked at, because one of them leaves.
    [[nodiscard]] bool looks_at_input() const noexcept {
        constexpr std::size_t most_of_a_person = 16U << 20;
        return takes_input_ && channel_.queued_size() <= (raw_ ? most_of_a_person : 0);
    }

    void take_message() {
        const auto message = channel_.receive();
        if (!message) {
            throw could_not_run("the network has ended");
        }
        switch (message->kind) {
            case control_kind::output:
                write_whole(STDOUT_FILENO, message->text);
                break;
            case control_kind::errors:
                write_whole(STDERR_FILENO, message->text);
                break;
            case control_kind::terminal:
                raw_.emplace();
                takes_input_ = true;
                break;
            case control_kind::done: {
                int code = 0;
                std::from_chars(message->text.data(), message->text.data() + message->text.size(), code);
                code_ = code;
                break;
            }
            default:
                break;
        }
    }

    void take_input() {
        std::array<char, 16384> buffer{};
        const auto n = ::read(STDIN_FILENO, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            return;
        }
        if (n <= 0) {
            takes_input_ = false;
            channel_.queue(control_kind::input_end);
            return;
        }
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
        const auto leaves_at = raw_ ? bytes.find(leave_key) : std::string_view::npos;
        if (leaves_at != 0) {
            channel_.queue(control_kind::input, bytes.substr(0, leaves_at));
        }
        if (leaves_at != std::string_view::npos) {
            raw_.reset();
            write_whole(STDOUT_FILENO, "\nleft\n");
            code_ = 0;
        }
    }

    control_channel channel_;
    const size_changes sizes_;
    std::optional<raw_terminal> raw_;
    bool takes_input_;
    std::optional<int> code_;
};

}  // namespace

int converse(const std::filesystem::path& network, std::string_view line, input_use input) {
    return conversation(network, line, input).run();
}

std::vector<std::string> candidates(const std::filesystem::path& network, std::string_view beginning) {
    control_channel channel(vmdsl::detail::connect_to_control(network));
    std::vector<std::string> found;
    const auto answer = channel.send(control_kind::complete, beginning) ? channel.receive() : std::nullopt;
    std::string_view rest = answer ? std::string_view(answer->text) : std::string_view();
    while (!rest.empty()) {
        found.emplace_back(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(found.back().size() + 1, rest.size()));
    }
    return found;
}

void keep_terminal_modes() {
    ::signal(SIGPIPE, SIG_IGN);
    if (::tcgetattr(STDIN_FILENO, &modes_at_start) != 0) {
        return;
    }
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
        ::signal(number, &put_back_modes_and_end);
    }
}

void put_terminal_modes_back() {
    if (::isatty(STDIN_FILENO) == 1) {
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_at_start);
    }
}

}  // namespace vmdsl::cli
