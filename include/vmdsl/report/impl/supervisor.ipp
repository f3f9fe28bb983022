// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/coverage/report.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/process/guardian.hpp>
#include <vmdsl/process/run_processes.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/chronicle.hpp>
#include <vmdsl/report/command_line.hpp>
#include <vmdsl/report/output_folder.hpp>
#include <vmdsl/report/printable.hpp>
#include <vmdsl/report/run_record.hpp>
#include <vmdsl/report/signal_inbox.hpp>
#include <vmdsl/report/supervisor.hpp>
#include <vmdsl/report/terminal.hpp>
#include <vmdsl/report/worker_process.hpp>

namespace vmdsl {

namespace detail {

using steady = std::chrono::steady_clock;

/// How many workers in a row may end without finishing a case.
inline constexpr int most_barren_workers = 3;

/// What a case has beyond its limit, a tenth of it, so that a verb which has reached the limit can say so.
inline constexpr std::chrono::milliseconds shortest_grace{500};
inline constexpr std::chrono::milliseconds longest_grace{15'000};

inline std::string version_text() {
    return std::to_string(VMDSL_VERSION / 10000) + "." + std::to_string(VMDSL_VERSION / 100 % 100) + "." +
           std::to_string(VMDSL_VERSION % 100);
}

inline junit_header make_junit_header(const command_line& line) {
    std::array<char, 64> text{};
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    utsname host{};
    ::uname(&host);
    junit_header header;
    header.name = std::filesystem::path(line.boost_arguments.front()).filename();
    header.timestamp.assign(text.data(), length);
    header.hostname = host.nodename;
    header.properties = {
        {"vmdsl", version_text()}, {"kernel", host.release}, {"acceleration asked for", line.acceleration}};
    return header;
}

/// The cases that the next worker passes over.
inline std::string list_finished_cases(const run_record& run) {
    std::string text;
    for (const auto& one : run.cases()) {
        if (one.has_result() && !one.outside) {
            text.append(one.status == case_status::passed ? "+" : "-").append(one.name).append("\n");
        }
    }
    return text;
}

/// What is known about the present worker.
struct worker_progress {
    std::filesystem::path scratch;
    std::optional<int> done_code;   ///< Once it said that it is done.
    std::int64_t failed_cases = 0;  ///< As it counted them.
    bool finished_a_case = false;
    std::optional<problem_kind> ended_for;  ///< Once we have asked it to end.
    std::string late_case;                  ///< The one that it was ended for.
    std::multiset<std::string> counting;    ///< Its machines whose coverage is still to be collected.
};

class supervisor {
public:
    explicit supervisor(const command_line& line)
        : line_(line),
          folder_(line.output),
          chronicle_(folder_.path(), make_junit_header(line), log_on_standard_output(line.quiet, line.verbose)),
          run_id_(make_run_id()),
          guardian_({run_id_, scratch_base(), line.keep}) {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // what a dead worker leaves behind is reaped here, whatever init does
        if (folder_.path() != folder_.wanted()) {
            chronicle_.log().say("another run uses " + folder_.wanted().string() + ": results go to " +
                                 folder_.path().string());
        }
    }

    int run() {
        while (run_worker() && remaining() > 0 && interrupted_by_ == 0) {
            if (barren_workers_ >= most_barren_workers) {
                give_up();
                break;
            }
        }
        if (interrupted_by_ != 0) {
            chronicle_.skip_the_rest("not run: interrupted by " + signal_name(interrupted_by_));
        }
        chronicle_.close();
        const bool clean = guardian_.finish(descendants_ended_);
        chronicle_.log().summarise(record(), std::chrono::duration<double>(steady::now() - began_).count());
        print_places(clean);
        report_coverage();
        return code();
    }

private:
    [[nodiscard]] const run_record& record() const noexcept { return chronicle_.record(); }

    // --- workers

    /// Runs a worker to its end; returns whether it died before it was done.
    bool run_worker() {
        start_worker();
        while (!worker_->status()) {
            wait_for_something();
        }
        worker_->read_all(on_line_);
        if (!end_descendants()) {
            chronicle_.warn("some processes that the test started can't be ended");
        }
        if (!line_.keep) {
            remove_tree(state_.scratch);
        }
        barren_workers_ = state_.finished_a_case ? 0 : barren_workers_ + 1;
        late_workers_ = state_.ended_for == problem_kind::timeout ? late_workers_ + 1 : 0;
        if (interrupted_by_ == 0) {
            keep_lost_coverage();
        }
        return report_end_of_worker();
    }

    void start_worker() {
        state_ = {};
        state_.scratch = guardian_.scratch_directory() / ("w" + std::to_string(++workers_));
        std::filesystem::create_directory(state_.scratch, guardian_.scratch_directory());  // with its permissions
        run_options options;
        options.output_directory = folder_.path();
        options.scratch_directory = state_.scratch;
        options.acceleration = line_.acceleration;
        options.case_timeout = case_timeout();
        options.interactive = line_.attended;
        options.verbose = line_.verbose;
        worker_.emplace(worker_start{line_.boost_arguments, std::move(options), run_id_, list_finished_cases(record()),
                                     line_.attended});
        restart_clock();
    }

    [[nodiscard]] std::chrono::seconds case_timeout() const {
        return line_.attended ? std::chrono::seconds(0) : line_.case_timeout;
    }

    /// Ends what the worker left behind. Whatever loses its parent becomes our child, so that nothing escapes: a child
    /// is found among ours, and a child of it once it is dead.
    bool end_descendants() {
        const auto until = steady::now() + end_of_run_limit;
        for (;;) {
            reap();
            auto children = own_children();
            if (!children) {
                return end_run_processes(run_id_, end_of_run_limit);
            }
            std::erase(*children, guardian_.pid());
            descendants_ended_ = children->empty();
            if (children->empty() || steady::now() >= until) {
                return children->empty();
            }
            for (const pid_t child : *children) {
                ::kill(child, SIGKILL);  // the number is the child's until we reap it
            }
            wait_for_signal(std::chrono::milliseconds(100));
        }
    }

    /// The worker's machines have died with it, and what they had counted.
    void keep_lost_coverage() {
        const auto* const running = record().running();
        const std::string reason =
            "the test process ended: what the machine had counted since the last collection is lost";
        for (const auto& machine : state_.counting) {
            chronicle_.warn(std::string("coverage of ").append(machine).append(" is not complete: ").append(reason));
            try {
                (void)write_shard(
                    coverage_folder() / "shards",
                    {{}, machine, running == nullptr ? "(outside of cases)" : running->name, {}, 0, {reason}}, {});
            } catch (const could_not_run& problem) {
                chronicle_.warn(problem.what());
            }
        }
    }

    /// Says in the record why the worker ended; returns whether that was before it was done.
    bool report_end_of_worker() {
        const int status = worker_->status().value_or(0);
        if (state_.ended_for) {
            report_ended_on_purpose(*state_.ended_for);
            return true;
        }
        if (record().running() != nullptr) {
            chronicle_.end_running_case(problem_kind::crash,
                                        "the test process " + describe_end(status) + " in the middle of the case");
            return true;
        }
        if (!state_.done_code) {
            chronicle_.add_problem(problem_kind::crash,
                                   "the test process " + describe_end(status) + " outside of any case");
            return true;
        }
        if (!WIFEXITED(status) || WEXITSTATUS(status) != *state_.done_code) {
            chronicle_.add_problem(problem_kind::crash,
                                   "the test process " + describe_end(status) + " after its last case");
        }
        // With --result_code=no Boost.Test returns 0 whatever happened.
        result_code_wanted_ = *state_.done_code != 0 || state_.failed_cases == 0;
        if (*state_.done_code != 0 && record().counts().failed + record().counts().errored == 0) {
            chronicle_.add_problem(problem_kind::crash, "Boost.Test ended with code " +
                                                            std::to_string(*state_.done_code) +
                                                            " though no case failed: see its messages above");
        }
        return false;
    }

    void report_ended_on_purpose(problem_kind why) {
        const auto reason = why == problem_kind::interrupted
                                ? "interrupted by " + signal_name(interrupted_by_)
                                : "did not end within " + std::to_string(case_timeout().count()) + " s";
        if (record().running() != nullptr) {
            // Where another case has begun since, it is not to blame: the next worker runs it.
            if (why == problem_kind::interrupted || record().running()->name == state_.late_case) {
                chronicle_.end_running_case(why, reason);
            }
        } else if (why == problem_kind::interrupted && !state_.done_code) {
            chronicle_.add_problem(why, reason + " outside of any case");
        } else if (why == problem_kind::timeout && state_.late_case.empty()) {
            chronicle_.add_problem(why, "the test process did not get on within " +
                                            std::to_string(case_timeout().count()) +
                                            " s outside of any case (in a fixture, or at its end)");
        }
    }

    void give_up() {
        const auto times = std::to_string(most_barren_workers);
        if (late_workers_ >= most_barren_workers) {
            const auto limit = std::to_string(case_timeout().count());
            chronicle_.add_problem(problem_kind::timeout, times + " times in a row a case did not end within " + limit +
                                                              " s (--case-timeout): the remaining cases were not run");
            chronicle_.skip_the_rest("not run: case after case took too long");
            return;
        }
        chronicle_.add_problem(problem_kind::crash, times +
                                                        " test processes in a row ended before they had finished a "
                                                        "case: the remaining cases were not run");
        chronicle_.skip_the_rest("not run: test processes kept dying");
    }

    [[nodiscard]] std::size_t remaining() const {
        const auto& cases = record().cases();
        return static_cast<std::size_t>(
            std::count_if(cases.begin(), cases.end(), [](const auto& one) { return !one.has_result(); }));
    }

    // --- waiting

    void wait_for_something() {
        const int events = worker_->descriptor();
        std::array<pollfd, 2> entries{{{inbox_.descriptor(), POLLIN, 0}, {events, POLLIN, 0}}};
        ::poll(entries.data(), events >= 0 ? 2 : 1, milliseconds_to_wait());
        if (entries[0].revents != 0) {
            take_signals();
        }
        if (entries[1].revents != 0) {
            worker_->read_some(on_line_);
        }
        check_clock();
        chronicle_.save();
    }

    void wait_for_signal(std::chrono::milliseconds limit) {
        pollfd entry{inbox_.descriptor(), POLLIN, 0};
        ::poll(&entry, 1, static_cast<int>(limit.count()));
        take_signals();
    }

    void take_signals() {
        while (const int number = inbox_.next()) {
            take_signal(number);
        }
    }

    [[nodiscard]] std::optional<steady::time_point> next_alarm() const {
        return worker_->patience_ends() ? worker_->patience_ends() : deadline_;
    }

    [[nodiscard]] int milliseconds_to_wait() const {
        const auto alarm = next_alarm();
        if (!alarm) {
            return -1;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*alarm - steady::now()).count();
        return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }

    void check_clock() {
        if (!is_late()) {
            return;
        }
        if (worker_->patience_ends()) {
            worker_->end();
            return;
        }
        worker_->read_all(on_line_);  // it may have got on just now
        if (is_late()) {
            state_.late_case = record().running() == nullptr ? "" : record().running()->name;
            end_worker(problem_kind::timeout);
        }
    }

    [[nodiscard]] bool is_late() const {
        const auto alarm = next_alarm();
        return !worker_->status() && alarm && steady::now() >= *alarm;
    }

    /// The worker got on: from here it has the whole time again. A verb that hangs ends by itself when the time is over
    /// (`case_clock`), so what comes later is something else that hangs.
    void restart_clock() {
        deadline_.reset();
        if (case_timeout().count() > 0) {
            const std::chrono::milliseconds limit = case_timeout();
            deadline_ = steady::now() + limit + std::clamp(limit / 10, shortest_grace, longest_grace);
        }
    }

    void end_worker(problem_kind why) {
        if (worker_ && !worker_->status()) {
            worker_->end();
            state_.ended_for = why;
        }
    }

    void take_signal(int number) {
        if (number == SIGCHLD) {
            reap();
            return;
        }
        interrupted_by_ = number;
        end_worker(problem_kind::interrupted);
    }

    void reap() {
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (worker_ && pid == worker_->pid()) {
                worker_->has_ended(status);
            } else if (pid == guardian_.pid()) {
                replace_guardian();
            }
        }
    }

    void replace_guardian() {
        try {
            guardian_.replace();
        } catch (const could_not_run& problem) {
            chronicle_.warn(std::string("the process that cleans up after the run was ended: ") + problem.what());
        }
    }

    // --- events

    void take_line(std::string_view line) {
        const auto e = chronicle_.take_line(line);
        if (!e) {
            return;
        }
        switch (e->kind) {
            case event_kind::case_end:
                state_.finished_a_case = true;
                break;
            case event_kind::run_end:
                state_.done_code = static_cast<int>(e->number("code"));
                state_.failed_cases = static_cast<std::int64_t>(e->number("failed"));
                break;
            case event_kind::coverage:
                note_coverage(*e);
                return;
            case event_kind::case_begin:
            case event_kind::case_time:
            case event_kind::case_skipped:
                break;
            default:
                return;
        }
        restart_clock();
    }

    void note_coverage(const event& e) {
        if (e.flag("counting")) {
            state_.counting.insert(e.machine);
        } else if (const auto one = state_.counting.find(e.machine); one != state_.counting.end()) {
            state_.counting.erase(one);
        }
    }

    // --- the end

    void print_places(bool clean) {
        std::cout << "  JUnit: " << chronicle_.files().junit_path().string()
                  << "\n  events: " << chronicle_.files().events_path().string() << '\n';
        if (line_.keep) {
            std::cout << "  scratch folder, kept: " << guardian_.scratch_directory().string() << '\n';
        }
        std::cout << std::flush;
        if (!clean) {
            std::cerr << "vmdsl: could not end or remove everything of this run; the scratch folder was "
                      << guardian_.scratch_directory().string() << '\n';
        }
        if (!chronicle_.files().failure().empty()) {
            std::cerr << "vmdsl: the results are not complete: " << chronicle_.files().failure() << '\n';
        }
    }

    [[nodiscard]] std::filesystem::path coverage_folder() const { return folder_.path() / "coverage"; }

    void report_coverage() {
        if (interrupted_by_ != 0) {
            const auto shards = coverage_folder() / "shards";
            if (std::error_code ec; std::filesystem::exists(shards, ec)) {
                std::cout << "  no coverage report, as the run was interrupted; what was collected is in "
                          << shards.string() << '\n'
                          << std::flush;
            }
            return;
        }
        try {
            std::cout << printable(summary_of(write_coverage_report(coverage_folder()))) << std::flush;
        } catch (const std::exception& problem) {
            std::cerr << "vmdsl: there is no coverage report: " << problem.what() << '\n';
        }
    }

    [[nodiscard]] int code() const {
        const auto counts = record().counts();
        if (interrupted_by_ != 0) {
            return 128 + interrupted_by_;
        }
        if (counts.failed > 0) {
            return static_cast<int>(result_code_wanted_ ? exit_code::failed : exit_code::passed);
        }
        const bool complete = counts.errored == 0 && chronicle_.files().failure().empty();
        return static_cast<int>(complete || !result_code_wanted_ ? exit_code::passed : exit_code::could_not_run);
    }

    const command_line& line_;
    signal_inbox inbox_;
    output_folder folder_;
    chronicle chronicle_;
    std::string run_id_;
    guardian guardian_;
    std::optional<worker_process> worker_;
    worker_progress state_;
    const worker_process::on_line on_line_ = [this](std::string_view line) { take_line(line); };
    int workers_ = 0;
    int barren_workers_ = 0;
    int late_workers_ = 0;  // in a row
    int interrupted_by_ = 0;
    bool result_code_wanted_ = true;
    bool descendants_ended_ = false;
    std::optional<steady::time_point> deadline_;
    steady::time_point began_ = steady::now();
};

}  // namespace detail

VMDSL_DECL int supervise(const command_line& line) {
    return detail::supervisor(line).run();
}

}  // namespace vmdsl
