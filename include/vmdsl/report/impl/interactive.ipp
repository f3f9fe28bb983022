// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/guardian.hpp>
#include <vmdsl/process/run_processes.hpp>
#include <vmdsl/report/interactive.hpp>
#include <vmdsl/report/output_folder.hpp>
#include <vmdsl/report/run_record.hpp>
#include <vmdsl/report/signal_inbox.hpp>
#include <vmdsl/report/supervisor.hpp>
#include <vmdsl/report/terminal.hpp>
#include <vmdsl/report/worker_process.hpp>

namespace vmdsl {

namespace detail {

/// Puts the terminal's modes back at the end, whatever the programs did that used it meanwhile.
class terminal_modes {
public:
    terminal_modes() : known_(::tcgetattr(STDIN_FILENO, &modes_) == 0) {}
    ~terminal_modes() {
        if (known_) {
            ::tcsetattr(STDIN_FILENO, TCSADRAIN, &modes_);
        }
    }
    terminal_modes(const terminal_modes&) = delete;
    terminal_modes& operator=(const terminal_modes&) = delete;

private:
    termios modes_{};
    bool known_;
};

class interactive_run {
public:
    explicit interactive_run(const command_line& line)
        : line_(line),
          folder_(line.output / "interactive"),
          events_(folder_.path() / "events.jsonl"),
          log_(log_on_standard_output(line.quiet, line.verbose)),
          run_id_(make_run_id()),
          guardian_({run_id_, scratch_base(), line.keep}) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        ::signal(SIGTSTP, SIG_IGN);  // who stopped us would leave a network behind that nobody watches
    }

    int run() {
        start_worker();
        log_.say("bringing up the network; Ctrl-C ends it");
        while (!worker_->status() || prompt_ > 0) {
            wait_for_something();
        }
        worker_->read_all(on_line_);
        say_why_it_ended();
        if (!events_) {
            log_.say("could not write all of " + (folder_.path() / "events.jsonl").string());
        }
        if (!guardian_.finish(false)) {
            log_.say("could not end or remove everything of this run; the scratch folder was " +
                     guardian_.scratch_directory().string());
        }
        return code();
    }

private:
    void start_worker() {
        run_options options;
        options.output_directory = folder_.path();
        options.scratch_directory = guardian_.scratch_directory() / "w1";
        options.acceleration = line_.acceleration;
        options.case_timeout = std::chrono::seconds(0);
        options.interactive = true;
        options.holds = true;
        options.verbose = line_.verbose;
        std::filesystem::create_directory(options.scratch_directory, guardian_.scratch_directory());
        worker_.emplace(worker_start{line_.boost_arguments, std::move(options), run_id_, {}, false});
    }

    void take_line(std::string_view text) {
        const auto e = parse_json_line(text);
        if (!e) {
            return;
        }
        events_ << text << '\n' << std::flush;
        record_.apply(*e);
        const bool passed_by = e->kind == event_kind::case_end && e->flag("passed");
        if (!passed_by) {  // a case that starts no network is none of this person's business
            log_.show(*e, record_);
        }
        if (e->kind == event_kind::ready && !ended_on_purpose_) {
            start_prompt(std::string(e->text("prompt")), std::string(e->text("folder")));
        } else if (e->kind == event_kind::case_end && !passed_by) {
            end();
        }
    }

    void start_prompt(const std::string& program, const std::string& folder) {
        is_ready_ = true;
        if (program.empty()) {
            log_.say(
                "the network is up. There is no prompt, as the program `vmdsl` is not in PATH; its commands `shell` "
                "and "
                "`attach` reach the network from wherever it is. Ctrl-C ends the network");
            return;
        }
        respawn_plan plan;
        plan.program = program;
        plan.arguments = {"vmdsl", "attach", "--network", folder, "--owner"};
        plan.environment = environment_with({std::string(run_id_variable) + "=" + run_id_});
        prompt_ = respawn(plan);
    }

    void wait_for_something() {
        const int events = worker_->descriptor();
        std::array<pollfd, 2> entries{{{inbox_.descriptor(), POLLIN, 0}, {events, POLLIN, 0}}};
        ::poll(entries.data(), events >= 0 ? 2 : 1, milliseconds_to_wait());
        while (const int number = inbox_.next()) {
            take_signal(number);
        }
        if (entries[1].revents != 0) {
            worker_->read_some(on_line_);
        }
        const auto alarm = worker_->patience_ends();
        if (alarm && !worker_->status() && std::chrono::steady_clock::now() >= *alarm) {
            worker_->end();
        }
    }

    [[nodiscard]] int milliseconds_to_wait() const {
        const auto alarm = worker_->patience_ends();
        if (!alarm || worker_->status()) {
            return -1;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*alarm - std::chrono::steady_clock::now());
        return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 60'000));
    }

    void take_signal(int number) {
        if (number == SIGCHLD) {
            reap();
            return;
        }
        interrupted_by_ = number;
        end();
    }

    /// The network ends, and so does its prompt.
    void end() {
        ended_on_purpose_ = true;
        if (prompt_ > 0) {
            ::kill(prompt_, SIGTERM);
        }
        if (!worker_->patience_ends()) {
            worker_->end();
        }
    }

    void reap() {
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid == worker_->pid()) {
                worker_ended_by_itself_ = !worker_->patience_ends();
                worker_->has_ended(status);
                end();
            } else if (pid == prompt_) {
                prompt_ = -1;
                prompt_status_ = status;
                end();
            } else if (pid == guardian_.pid()) {
                replace_guardian();
            }
        }
    }

    void replace_guardian() {
        try {
            guardian_.replace();
        } catch (const could_not_run& problem) {
            log_.say(std::string("the process that cleans up after the run was ended: ") + problem.what());
        }
    }

    void say_why_it_ended() {
        if (is_ready_ && worker_ended_by_itself_) {
            log_.say("the process that ran the network " + describe_end(*worker_->status()));
        } else if (!is_ready_ && interrupted_by_ == 0 && record_.counts().failed + record_.counts().errored == 0) {
            log_.say("none of the cases that were asked for starts a network");
        }
    }

    [[nodiscard]] int code() const {
        if (interrupted_by_ != 0) {
            return 128 + interrupted_by_;
        }
        if (!is_ready_) {
            return static_cast<int>(record_.counts().failed > 0 ? exit_code::failed : exit_code::could_not_run);
        }
        if (worker_ended_by_itself_) {
            return static_cast<int>(exit_code::could_not_run);
        }
        return WIFSIGNALED(prompt_status_) ? 128 + WTERMSIG(prompt_status_) : WEXITSTATUS(prompt_status_);
    }

    const command_line& line_;
    const terminal_modes modes_;
    signal_inbox inbox_;
    output_folder folder_;
    std::ofstream events_;
    terminal_log log_;
    run_record record_;
    std::string run_id_;
    guardian guardian_;
    std::optional<worker_process> worker_;
    const worker_process::on_line on_line_ = [this](std::string_view line) { take_line(line); };
    pid_t prompt_ = -1;
    int prompt_status_ = 0;
    int interrupted_by_ = 0;
    bool is_ready_ = false;
    bool ended_on_purpose_ = false;
    bool worker_ended_by_itself_ = false;
};

}  // namespace detail

VMDSL_DECL int run_interactively(const command_line& line) {
    return detail::interactive_run(line).run();
}

}  // namespace vmdsl
