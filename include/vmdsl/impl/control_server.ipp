// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/baked_in.hpp>
#include <vmdsl/detail/control_server.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_operator.hpp>
#include <vmdsl/guest/agent_stream.hpp>
#include <vmdsl/process/control_channel.hpp>
#include <vmdsl/report/printable.hpp>

namespace vmdsl::detail {

/// The person's terminal, as a request tells it.
struct person_terminal {
    terminal_size size;
    std::string type;  ///< Empty where there is no terminal.

    /// From "ROWS COLUMNS TERM". What is missing stays as it is.
    [[nodiscard]] static person_terminal parse(std::string_view text) {
        person_terminal found;
        std::string_view rest = text;
        for (auto* side : {&found.size.rows, &found.size.columns}) {
            const auto word = rest.substr(0, rest.find(' '));
            rest.remove_prefix(std::min(word.size() + 1, rest.size()));
            std::from_chars(word.data(), word.data() + word.size(), *side);
        }
        found.type = rest;
        return found;
    }
};

/// A guest's words may be among the text, and a person's terminal is not to obey them.
inline void complain(control_channel& person, std::string_view text) {
    person.send(control_kind::errors, "vmdsl: " + printable(text) + "\n");
}

/// Between a person's program and a command or shell in a guest, for as long as it runs.
///
/// Two threads: the caller's takes what the person sends; the other one gives the guest's output to the person, and
/// only then lets the guest send more. So a person who does not read stops the guest's program, and nothing piles up
/// here.
class guest_session {
public:
    explicit guest_session(control_channel& person) : person_(&person) {}

    /// What the stream is to be opened with.
    [[nodiscard]] stream_sink sink() {
        stream_sink sink;
        sink.on_data = [this](wire::channel channel, std::string_view bytes) {
            const std::lock_guard lock(mutex_);
            output_.push_back({channel, std::string(bytes)});
            changed_.notify_all();
        };
        sink.on_writable = [this] {
            const std::lock_guard lock(mutex_);
            changed_.notify_all();
        };
        sink.on_closed = [this] {
            const std::lock_guard lock(mutex_);
            closed_ = true;
            changed_.notify_all();
        };
        return sink;
    }

    /// Runs until the guest's side has ended. A person who leaves before hangs up.
    void run(agent_stream& stream, bool on_terminal) {
        std::thread giver([&] { give_output(stream); });
        for (auto message = person_->receive(); message && take(stream, *message);) {
            message = person_->receive();
        }
        hang_up(stream, on_terminal);
        giver.join();
    }

private:
    struct piece {
        wire::channel channel;
        std::string bytes;
    };

    /// False where the person left meanwhile.
    bool take(agent_stream& stream, control_message& message) {
        if (message.kind == control_kind::input) {
            stream.write(std::move(message.text));
            return wait_until_sent(stream);
        }
        if (message.kind == control_kind::input_end) {
            stream.end_of_data();
        } else if (message.kind == control_kind::resize) {
            stream.resize(person_terminal::parse(message.text).size);
        }
        return true;
    }

    /// A guest's program need not ever read what it is sent, so the person is watched meanwhile. False where they left.
    bool wait_until_sent(agent_stream& stream) {
        constexpr std::chrono::milliseconds look_after(200);
        std::unique_lock lock(mutex_);
        while (!changed_.wait_for(lock, look_after, [&] { return closed_ || !stream.has_unsent(); })) {
            if (person_->other_side_is_gone()) {
                return false;
            }
        }
        return true;
    }

    /// As when a terminal's window is closed. What has no terminal, or takes no notice, is killed.
    void hang_up(agent_stream& stream, bool on_terminal) {
        std::unique_lock lock(mutex_);
        const auto is_closed = [&] { return closed_; };
        if (on_terminal && !closed_) {
            lock.unlock();
            stream.send_signal(SIGHUP, signal_target::process);
            lock.lock();
            changed_.wait_for(lock, std::chrono::seconds(5), is_closed);
        }
        const bool still_there = !closed_;
        lock.unlock();
        if (still_there) {
            stream.close();
        }
    }

    void give_output(agent_stream& stream) {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [&] { return closed_ || !output_.empty(); });
            if (output_.empty()) {
                break;
            }
            const auto next = std::move(output_.front());
            output_.pop_front();
            lock.unlock();
            const bool errors = next.channel == wire::channel::errors;
            person_->send(errors ? control_kind::errors : control_kind::output, next.bytes);
            stream.grant(next.channel, next.bytes.size());
            lock.lock();
        }
        lock.unlock();
        say_end(stream);
        person_->stop_receiving();
    }

    void say_end(agent_stream& stream) {
        int code = 1;
        std::string problem;
        try {
            const auto end = stream.wait(deadline::in(std::chrono::seconds(1)));
            if (end && !end->failed) {
                code = end->signal != 0 ? 128 + end->signal : end->exit_code;
            } else {
                problem = end ? end->error_text : std::string("it did not say how it ended");
            }
        } catch (const error& lost) {
            problem = lost.details().what_failed;
        }
        if (!problem.empty()) {
            complain(*person_, problem);
        }
        person_->send(control_kind::done, std::to_string(code));
    }

    control_channel* person_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<piece> output_;
    bool closed_ = false;
};

/// Bash where the guest has it, as a login shell.
inline constexpr std::string_view login_shell = "if [ -x /bin/bash ]; then exec /bin/bash -l; fi; exec /bin/sh -l";

class control_server {
public:
    explicit control_server(network_core& core) : core_(&core), operator_(core) {}

    /// Answers the one question of a connection.
    void answer(control_channel& person) const {
        const auto message = person.receive();
        if (!message) {
            return;
        }
        try {
            answer(person, *message);
        } catch (const usage_error& problem) {
            fail(person, problem.details(), 64);
        } catch (const error& problem) {
            fail(person, problem.details(), 1);
        } catch (const std::exception& problem) {
            fail(person, error_details{{}, problem.what(), {}, {}, {}, {}, {}, {}}, 1);
        }
    }

private:
    static void fail(control_channel& person, error_details details, int code) {
        details.where.clear();  // it is no place in the person's spec
        complain(person, error::render(details));
        person.send(control_kind::done, std::to_string(code));
    }

    static void tell(control_channel& person, std::string_view text) {
        person.send(control_kind::output, printable(text));
        person.send(control_kind::done, "0");
    }

    void answer(control_channel& person, const control_message& message) const {
        if (message.kind == control_kind::about) {
            std::error_code ignored;
            const auto program = std::filesystem::read_symlink("/proc/self/exe", ignored).filename().string();
            tell(person, program + "\n" + std::to_string(::getpid()));
        } else if (message.kind == control_kind::complete) {
            std::string text;
            for (const auto& candidate : operator_.complete(message.text)) {
                text += candidate + "\n";
            }
            tell(person, text);
        } else if (message.kind == control_kind::request) {
            const auto end = std::min(message.text.find('\n'), message.text.size());
            const auto asked =
                network_operator::parse(std::string_view(message.text).substr(std::min(end + 1, message.text.size())));
            if (asked.verb == "run" || asked.verb == "shell") {
                run(person, asked, person_terminal::parse(std::string_view(message.text).substr(0, end)));
            } else {
                tell(person, operator_.perform(asked));
            }
        }
    }

    void run(control_channel& person, const network_operator::question& asked, const person_terminal& terminal) const {
        const auto agent = core_->machine(operator_.machine_named(asked.machine)).agent();
        command_request request;
        request.shell_text = asked.rest.empty() ? login_shell : asked.rest;
        request.takes_input = true;
        guest_session session(person);
        std::shared_ptr<agent_stream> stream;
        if (terminal.type.empty()) {
            stream = agent->start_command(request, session.sink());
        } else {
            request.environment = {"TERM=" + terminal.type};
            stream = agent->start_terminal(request, terminal.size, session.sink());
            person.send(control_kind::terminal);
        }
        session.run(*stream, !terminal.type.empty());
    }

    network_core* core_;
    network_operator operator_;
};

VMDSL_DECL void serve_person(network_core& core) {
    const auto& folder = current_run().scratch_directory;
    const auto listener = listen_for_control(folder);
    const control_server server(core);
    emit(event_kind::ready, {}, {{"folder", folder.string()}, {"prompt", prompt_program()}});
    for (;;) {
        auto person = std::make_shared<control_channel>(accept_control(listener));
        try {
            std::thread([&server, person] { server.answer(*person); }).detach();
        } catch (const std::system_error& shortage) {
            complain(*person, shortage.what());
            person->send(control_kind::done, "1");
        }
    }
}

}  // namespace vmdsl::detail
