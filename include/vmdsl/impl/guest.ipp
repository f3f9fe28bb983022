// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/file_content.hpp>
#include <vmdsl/detail/back_off.hpp>
#include <vmdsl/detail/job_state.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/detail/screen.hpp>
#include <vmdsl/detail/transcript.hpp>
#include <vmdsl/detail/tree_copy.hpp>
#include <vmdsl/detail/units.hpp>
#include <vmdsl/detail/verb_answers.hpp>
#include <vmdsl/guest.hpp>
#include <vmdsl/guest/port_probe.hpp>

namespace vmdsl {

namespace detail {

inline std::string bytes_text(std::size_t count) {
    return std::to_string(count) + (count == 1 ? " byte" : " bytes");
}

/// Permission bits as people write them: "0644".
inline std::string mode_text(unsigned mode) {
    std::string text;
    for (unsigned rest = mode; rest != 0; rest /= 8) {
        text.insert(text.begin(), static_cast<char>('0' + rest % 8));
    }
    return "0" + text;
}

/// What a guest says of a file begins with its path; where `what` ends with that, once is enough.
inline std::string_view without_path(std::string_view words, std::string_view what) {
    const auto colon = words.rfind(": ");
    return colon != std::string_view::npos && what.ends_with(words.substr(0, colon)) ? words.substr(colon + 2) : words;
}

[[noreturn]] inline void throw_stream_failure(const machine_runtime& machine, const std::string& what,
                                              const stream_end& end) {
    throw guest_error(machine.details(what + ": " + std::string(without_path(end.error_text, what))));
}

/// For a wait that is over: what was special in the end, empty where nothing was.
inline std::string last_attempt(std::string_view problem) {
    return problem.empty() ? "" : "; the last attempt: " + std::string(problem);
}

/// Waits until something accepts connections there, or nothing does.
inline void await_port(machine_runtime& machine, std::uint16_t port, port_state wanted, deadline until) {
    for (back_off pauses(std::chrono::milliseconds(10), std::chrono::milliseconds(200));;) {
        const auto seen = look_at_port(*machine.agent(), port, until);
        if (seen.state == wanted) {
            return;
        }
        if (!machine.pause_between_attempts(pauses.next(), until)) {
            const auto place = "port " + std::to_string(port) + " of its localhost ";
            const auto what =
                wanted == port_state::open ? "nothing accepted connections on " + place : place + "did not close ";
            throw timed_out(machine.details(what + until.limit_text() + last_attempt(seen.problem)));
        }
    }
}

/// Whether the guest said that there is no such file.
inline bool is_missing(const stream_end& end) {
    return end.failed && (end.error_number == ENOENT || end.error_number == ENOTDIR);
}

}  // namespace detail

VMDSL_DECL guest::guest(detail::network_core& network, std::size_t index) : network_(&network), index_(index) {
}

VMDSL_DECL const std::string& guest::name() const noexcept {
    return network_->plan().machines[index_].name;
}

VMDSL_DECL guest guest::within(std::chrono::nanoseconds limit) const {
    guest other = *this;
    other.limit_ = limit;
    return other;
}

VMDSL_DECL command_result guest::execute(std::string_view command, source_location where) {
    const std::string text(command);
    return detail::result_of(network_->perform(detail::command_call(name(), "run", text, where), [&] {
        return detail::answer_of(
            network_->machine(index_).execute(command_request::shell(text), case_clock::verb(limit_)));
    }));
}

VMDSL_DECL command_result guest::run(std::string_view command, source_location where) {
    auto result = execute(command, where);
    if (result.succeeded()) {
        return result;
    }
    auto d = network_->machine(index_).details("the command " + result.describe());
    d.where = to_string(where);
    d.command = std::string(command);
    d.out_tail = detail::tail_of(result.out());
    d.err_tail = detail::tail_of(result.err());
    throw command_failed(std::move(d));
}

VMDSL_DECL job guest::spawn(std::string_view command, source_location where) {
    auto s = std::make_shared<job::state>();
    s->network = network_;
    s->index = index_;
    s->text = std::string(command);
    s->limit = limit_;
    const auto start = [&] {
        auto& machine = network_->machine(index_);
        const auto boot = machine.boots();
        const auto until = case_clock::verb(limit_);
        auto stream = machine.agent()->start_command(command_request::shell(s->text));
        try {
            if (!stream->wait_opened(until)) {
                throw timed_out(machine.details("the command did not start " + until.limit_text()));
            }
        } catch (...) {
            stream->close();
            throw;
        }
        auto answer = detail::answer_with("started");
        answer.job = {boot, stream->id()};
        s->stream = std::move(stream);
        return answer;
    };
    s->known_as = network_->perform(s->call("spawn", where), start).job;
    return job(std::move(s));
}

VMDSL_DECL guest& guest::wait_for_unit(std::string_view unit, source_location where) {
    const std::string text(unit);
    (void)network_->perform({name(), "wait for unit", text, where}, [&] {
        detail::await_unit(network_->machine(index_), text, case_clock::verb(limit_));
        return detail::answer_with("active");
    });
    return *this;
}

VMDSL_DECL guest& guest::start_job(std::string_view unit, source_location where) {
    const std::string text(unit);
    (void)network_->perform({name(), "start job", text, where}, [&] {
        detail::change_unit(network_->machine(index_), "start", text, case_clock::verb(limit_));
        return detail::answer_with("active");
    });
    return *this;
}

VMDSL_DECL guest& guest::stop_job(std::string_view unit, source_location where) {
    const std::string text(unit);
    (void)network_->perform({name(), "stop job", text, where}, [&] {
        detail::change_unit(network_->machine(index_), "stop", text, case_clock::verb(limit_));
        return detail::answer_with("stopped");
    });
    return *this;
}

VMDSL_DECL unit_properties guest::unit_info(std::string_view unit, source_location where) {
    const std::string text(unit);
    const auto show = [&] {
        detail::verb_answer answer;
        answer.out = detail::show_unit(network_->machine(index_), text, case_clock::verb(limit_));
        answer.outcome = unit_properties(text, answer.out).state_text();
        return answer;
    };
    return {text, network_->perform({name(), "unit info", text, where}, show).out};
}

VMDSL_DECL guest& guest::wait_for_open_port(std::uint16_t port, source_location where) {
    (void)network_->perform({name(), "wait for open port", std::to_string(port), where}, [&] {
        detail::await_port(network_->machine(index_), port, detail::port_state::open, case_clock::verb(limit_));
        return detail::verb_answer{};
    });
    return *this;
}

VMDSL_DECL guest& guest::wait_for_closed_port(std::uint16_t port, source_location where) {
    (void)network_->perform({name(), "wait for closed port", std::to_string(port), where}, [&] {
        detail::await_port(network_->machine(index_), port, detail::port_state::closed, case_clock::verb(limit_));
        return detail::verb_answer{};
    });
    return *this;
}

VMDSL_DECL bool guest::file_exists(std::string_view path, source_location where) {
    const std::string text(path);
    const auto look = [&] {
        auto& machine = network_->machine(index_);
        const scoped_stream stream(machine.agent()->stat(text));
        const auto end = machine.await_end(*stream, "looking for " + text, case_clock::verb(limit_));
        if (end.failed && !detail::is_missing(end)) {
            detail::throw_stream_failure(machine, "can't look for " + text, end);
        }
        auto answer = detail::answer_with(end.failed ? "there is none" : "it is there");
        answer.flag = !end.failed;
        return answer;
    };
    return network_->perform({name(), "look for file", text, where}, look).flag;
}

VMDSL_DECL guest& guest::wait_for_file(std::string_view path, source_location where) {
    const std::string text(path);
    (void)network_->perform({name(), "wait for file", text, where}, [&] {
        auto& machine = network_->machine(index_);
        const auto until = case_clock::verb(limit_);
        for (detail::back_off pauses(std::chrono::milliseconds(10), std::chrono::milliseconds(200));;) {
            const scoped_stream stream(machine.agent()->stat(text));
            const auto end = stream->wait(until);
            if (end && !end->failed) {
                return detail::verb_answer{};
            }
            if (!machine.pause_between_attempts(pauses.next(), until)) {
                const auto problem = !end                       ? "the guest did not answer"
                                     : detail::is_missing(*end) ? std::string_view()
                                                                : detail::without_path(end->error_text, text);
                throw timed_out(machine.details("the file " + text + " did not appear " + until.limit_text() +
                                                detail::last_attempt(problem)));
            }
        }
    });
    return *this;
}

VMDSL_DECL command_result guest::repeat_until(std::string_view command, bool success, std::chrono::nanoseconds limit,
                                              const source_location& where) {
    const std::string text(command);
    const auto* const verb = success ? "wait until succeeds" : "wait until fails";
    return detail::result_of(network_->perform(detail::command_call(name(), verb, text, where), [&] {
        auto& machine = network_->machine(index_);
        const auto until = case_clock::verb(limit);
        const std::string late =
            std::string("the command did not ") + (success ? "succeed " : "fail ") + until.limit_text() + "; ";
        std::optional<command_result> last;  // of an attempt that came to its end
        const auto give_up = [&] {
            auto d = machine.details(late + "its last attempt " + last->describe());
            d.out_tail = detail::tail_of(last->out());
            d.err_tail = detail::tail_of(last->err());
            throw timed_out(std::move(d));
        };
        for (detail::back_off pauses(std::chrono::milliseconds(20), std::chrono::milliseconds(500));;) {
            try {
                last = machine.execute(command_request::shell(text), until);
            } catch (const timed_out& cut_off) {
                if (last) {
                    give_up();
                }
                auto d = cut_off.details();
                d.what_failed = late + "its first attempt did not come to an end";
                throw timed_out(std::move(d));
            }
            if (last->succeeded() == success) {
                return detail::answer_of(*last);
            }
            if (!machine.pause_between_attempts(pauses.next(), until)) {
                give_up();
            }
        }
    }));
}

VMDSL_DECL command_result guest::wait_until_succeeds(std::string_view command, source_location where) {
    return repeat_until(command, true, limit_, where);
}

VMDSL_DECL command_result guest::wait_until_succeeds(std::string_view command, std::chrono::nanoseconds limit,
                                                     source_location where) {
    return repeat_until(command, true, limit, where);
}

VMDSL_DECL command_result guest::wait_until_fails(std::string_view command, source_location where) {
    return repeat_until(command, false, limit_, where);
}

VMDSL_DECL command_result guest::wait_until_fails(std::string_view command, std::chrono::nanoseconds limit,
                                                  source_location where) {
    return repeat_until(command, false, limit, where);
}

VMDSL_DECL guest& guest::write_file(std::string_view path, std::string_view content, unsigned mode,
                                    source_location where) {
    const std::string text(path);
    const auto write = [&] {
        auto& machine = network_->machine(index_);
        const scoped_stream stream(machine.agent()->write_file(text, mode, false));
        stream->write(std::string(content));
        stream->end_of_data();
        const auto end = machine.await_end(*stream, "writing " + text, case_clock::verb(limit_));
        if (end.failed) {
            detail::throw_stream_failure(machine, "can't write " + text, end);
        }
        return detail::answer_with(detail::bytes_text(content.size()));
    };
    (void)network_->perform({name(), "write file", text + " " + detail::mode_text(mode), where, std::string(content)},
                            write);
    return *this;
}

VMDSL_DECL std::string guest::read_file(std::string_view path, source_location where) {
    const std::string text(path);
    const auto read = [&] {
        auto& machine = network_->machine(index_);
        const scoped_stream stream(machine.agent()->read_file(text));
        const auto end = machine.await_end(*stream, "reading " + text, case_clock::verb(limit_));
        if (end.failed) {
            detail::throw_stream_failure(machine, "can't read " + text, end);
        }
        detail::verb_answer answer;
        answer.out = stream->take_collected(wire::channel::main);
        answer.outcome = detail::bytes_text(answer.out.size());
        return answer;
    };
    return network_->perform({name(), "read file", text, where}, read).out;
}

VMDSL_DECL guest& guest::copy_from_host(const std::filesystem::path& host_path, std::string_view guest_path,
                                        source_location where) {
    const std::string to(guest_path);
    std::optional<host_tree_reader> source;
    std::exception_ptr unreadable;
    try {
        source.emplace(host_path);
    } catch (const error&) {
        unreadable = std::current_exception();
    }
    const detail::verb_call call{name(), "copy from host", host_path.string() + " to " + to, where,
                                 source ? source->fingerprint() : std::string()};
    (void)network_->perform(call, [&] {
        if (unreadable) {
            std::rethrow_exception(unreadable);
        }
        auto& machine = network_->machine(index_);
        return detail::answer_with(
            detail::text_of(detail::copy_into_guest(machine, *source, to, case_clock::verb(limit_))));
    });
    return *this;
}

VMDSL_DECL std::filesystem::path guest::copy_to_host(std::string_view guest_path,
                                                     const std::filesystem::path& host_path, source_location where) {
    const std::string from(guest_path);
    auto target = detail::result_path(host_path.string());
    bool copied = false;
    const auto answer = network_->perform({name(), "copy to host", from + " to " + host_path.string(), where}, [&] {
        auto& machine = network_->machine(index_);
        detail::verb_answer done;
        auto* const kept = network_->runtime().body().is_recording() ? &done.out : nullptr;
        done.outcome =
            detail::text_of(detail::copy_out_of_guest(machine, from, target, kept, case_clock::verb(limit_)));
        copied = true;
        return done;
    });
    if (!copied) {  // a replay
        host_tree_writer again(target);
        again.take(answer.out);
        again.finish();
    }
    return target;
}

namespace detail {

/// The verbs that change a machine's power.
inline void power_verb(network_core& network, std::size_t index, const std::string& verb, const source_location& where,
                       const std::function<void(machine_runtime&)>& work) {
    const auto& name = network.plan().machines[index].name;
    (void)network.perform({name, verb, {}, where}, [&] {
        work(network.machine(index));
        return verb_answer{};
    });
}

}  // namespace detail

VMDSL_DECL guest& guest::start(source_location where) {
    detail::power_verb(*network_, index_, "start", where,
                       [&](detail::machine_runtime& machine) { machine.boot(case_clock::verb(limit_)); });
    network_->hold_as_started();
    return *this;
}

VMDSL_DECL guest& guest::shutdown(source_location where) {
    detail::power_verb(*network_, index_, "shut down", where,
                       [&](detail::machine_runtime& machine) { machine.shutdown(limit_); });
    return *this;
}

VMDSL_DECL guest& guest::crash(source_location where) {
    detail::power_verb(*network_, index_, "crash", where, [](detail::machine_runtime& machine) { machine.crash(); });
    return *this;
}

VMDSL_DECL guest& guest::reboot(source_location where) {
    detail::power_verb(*network_, index_, "reboot", where,
                       [&](detail::machine_runtime& machine) { machine.reboot(limit_); });
    return *this;
}

VMDSL_DECL guest& guest::reset(source_location where) {
    detail::power_verb(*network_, index_, "reset", where,
                       [&](detail::machine_runtime& machine) { machine.reset(case_clock::verb(limit_)); });
    return *this;
}

VMDSL_DECL guest& guest::press_power_button(source_location where) {
    detail::power_verb(*network_, index_, "press power button", where, [&](detail::machine_runtime& machine) {
        (void)machine.qmp("system_powerdown", "{}", case_clock::verb(limit_));
    });
    return *this;
}

VMDSL_DECL guest& guest::pause(source_location where) {
    detail::power_verb(*network_, index_, "pause", where, [&](detail::machine_runtime& machine) {
        (void)machine.qmp("stop", "{}", case_clock::verb(limit_));
    });
    return *this;
}

VMDSL_DECL guest& guest::resume(source_location where) {
    detail::power_verb(*network_, index_, "resume", where, [&](detail::machine_runtime& machine) {
        (void)machine.qmp("cont", "{}", case_clock::verb(limit_));
    });
    return *this;
}

VMDSL_DECL std::string guest::wait_for_console_text(const text_pattern& pattern, source_location where) {
    return text_verb(where, "wait for console text", pattern.describe(), [&](detail::machine_runtime& machine) {
        return detail::await_console_text(machine, pattern, case_clock::verb(limit_));
    });
}

VMDSL_DECL std::string guest::tty_text(unsigned number, source_location where) {
    return text_verb(where, "tty text", std::to_string(number), [&](detail::machine_runtime& machine) {
        return detail::tty_text(machine, number, case_clock::verb(limit_));
    });
}

VMDSL_DECL std::string guest::wait_for_tty_text(unsigned number, const text_pattern& pattern, source_location where) {
    const auto arguments = std::to_string(number) + " " + pattern.describe();
    return text_verb(where, "wait for tty text", arguments, [&](detail::machine_runtime& machine) {
        return detail::await_tty_text(machine, number, pattern, case_clock::verb(limit_));
    });
}

VMDSL_DECL guest& guest::send_key(std::string_view keys, source_location where) {
    (void)text_verb(where, "send key", std::string(keys), [&](detail::machine_runtime& machine) {
        detail::press_keys(machine, keys, case_clock::verb(limit_));
        return std::string();
    });
    return *this;
}

VMDSL_DECL guest& guest::send_chars(std::string_view text, source_location where) {
    (void)text_verb(where, "send chars", std::string(text), [&](detail::machine_runtime& machine) {
        detail::type_text(machine, text, case_clock::verb(limit_));
        return std::string();
    });
    return *this;
}

VMDSL_DECL std::filesystem::path guest::screenshot(const std::filesystem::path& host_path, source_location where) {
    auto file = detail::result_path(host_path.string());
    bool taken = false;
    const auto picture = text_verb(where, "screenshot", host_path.string(), [&](detail::machine_runtime& machine) {
        detail::take_screenshot(machine, file, case_clock::verb(limit_));
        taken = true;
        return detail::content_of(file);
    });
    if (!taken) {  // a replay
        detail::write_content(file, picture);
    }
    return file;
}

VMDSL_DECL qmp_result guest::qmp(std::string_view command, std::string_view arguments, source_location where) {
    return qmp_result(text_verb(
        where, "qmp", std::string(command) + " " + std::string(arguments),
        [&](detail::machine_runtime& machine) { return machine.qmp(command, arguments, case_clock::verb(limit_)); }));
}

VMDSL_DECL qmp_result guest::wait_for_qmp_event(std::string_view event, source_location where) {
    return qmp_result(text_verb(where, "wait for qmp event", std::string(event), [&](detail::machine_runtime& machine) {
        return detail::await_qmp_event(machine, event, case_clock::verb(limit_));
    }));
}

VMDSL_DECL std::string guest::text_verb(const source_location& where, std::string verb, std::string arguments,
                                        const std::function<std::string(detail::machine_runtime&)>& work) {
    const auto live = [&] {
        detail::verb_answer answer;
        answer.out = work(network_->machine(index_));
        return answer;
    };
    return network_->perform({name(), std::move(verb), std::move(arguments), where}, live).out;
}

VMDSL_DECL bool guest::running() const {
    const auto look = [&] {
        auto& machine = network_->machine(index_);
        detail::verb_answer answer;
        answer.flag = machine.running();
        if (!answer.flag) {
            machine.note_seen_death();  // where it is one, the spec has been told now
        }
        return answer;
    };
    return network_->ask({name(), "is running", {}}, look).flag;
}

VMDSL_DECL std::uint16_t guest::forwarded(std::uint16_t guest_port, source_location where) {
    const auto open = [&] {
        detail::verb_answer answer;
        answer.number = network_->machine(index_).forwarded(guest_port);
        return answer;
    };
    const detail::verb_call call{name(), "forward", std::to_string(guest_port), where};
    return static_cast<std::uint16_t>(network_->perform_unrecorded(call, open).number);
}

VMDSL_DECL std::string guest::console_tail(std::size_t lines) const {
    const auto look = [&] {
        detail::verb_answer answer;
        answer.out = network_->machine(index_).console_tail(lines);
        return answer;
    };
    return network_->ask({name(), "console tail", std::to_string(lines)}, look).out;
}

}  // namespace vmdsl
