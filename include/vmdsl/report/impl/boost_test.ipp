// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/results_collector.hpp>
#include <boost/test/tree/observer.hpp>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/test/unit_test_log.hpp>
#include <boost/test/unit_test_log_formatter.hpp>
#include <boost/test/unit_test_monitor.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/boost_test.hpp>

namespace vmdsl {

namespace detail {

namespace boost_ut = boost::unit_test;

inline std::string to_text(boost_ut::const_string text) {
    return {text.begin(), text.size()};
}

/// What the worker's parts share. Never destroyed: Boost.Test's own statics point to it until the very end.
struct worker_state {
    std::vector<std::function<void(bool)>> case_hooks;
    std::vector<std::function<void()>> end_hooks;
    std::unordered_map<std::string, bool> finished;  ///< By an earlier worker, and whether the case passed.
    std::string current_case;                        ///< Empty outside of any case.
    std::vector<const char*> own_variables;          ///< Of the environment, set for Boost.Test.

    // The error that is just on its way to the log, in full: Boost.Test itself keeps 4096 bytes of a message.
    std::string error_text;
    std::string error_file;
    std::int64_t error_line = 0;
    bool error_is_infrastructure = false;
};

inline worker_state& the_worker() {
    static auto& state = *new worker_state;
    return state;
}

template <class Hook, class... Arguments>
void run_hook(const Hook& hook, Arguments... arguments) noexcept {
    try {
        hook(arguments...);
    } catch (const std::exception& problem) {
        emit(event_kind::warning, {}, {{"text", std::string(problem.what())}});
    } catch (...) {
        emit(event_kind::warning, {}, {{"text", std::string("an unknown exception left a hook at the end of a case")}});
    }
}

/// Boost.Test's translators get an exception before anything turns it into a text; what they throw is reported.
inline void report_vmdsl_error(const error& e) {
    auto& state = the_worker();
    state.error_text = e.what();
    state.error_is_infrastructure = dynamic_cast<const could_not_run*>(&e) != nullptr;
    const std::string_view where = e.details().where;
    const auto colon = std::min(where.rfind(':'), where.size());
    state.error_file = where.substr(0, colon);
    state.error_line = 0;
    const auto number = where.substr(std::min(colon + 1, where.size()));
    std::from_chars(number.data(), number.data() + number.size(), state.error_line);
    throw boost::execution_exception(
        boost::execution_exception::cpp_exception_error, state.error_text,
        boost::execution_exception::location(state.error_file, static_cast<std::size_t>(state.error_line)));
}

/// Sends what Boost.Test logs as events. Where a case begins and ends is the observer's matter.
class event_formatter : public boost_ut::unit_test_log_formatter {
public:
    event_formatter() { m_log_level = boost_ut::log_messages; }

    /// The framework would set every formatter to the level of the console's log.
    void set_log_level(boost_ut::log_level) override {}

    void log_start(std::ostream&, boost_ut::counter_t) override {}
    void log_finish(std::ostream&) override {}
    void log_build_info(std::ostream&, bool) override {}
    void test_unit_start(std::ostream&, const boost_ut::test_unit&) override {}
    void test_unit_finish(std::ostream&, const boost_ut::test_unit&, unsigned long) override {}

    void log_exception_start(std::ostream&, const boost_ut::log_checkpoint_data& checkpoint,
                             const boost::execution_exception& e) override {
        auto& state = the_worker();
        kind_ = event_kind::exception;
        infrastructure_ = std::exchange(state.error_is_infrastructure, false);
        message_ = to_text(e.what());
        const auto& where = e.where();
        const bool known = where.m_line_num != 0;  // else the file is called "unknown location"
        file_ = to_text(known ? where.m_file_name : checkpoint.m_file_name);
        line_ = known ? where.m_line_num : checkpoint.m_line_num;
    }
    void log_exception_finish(std::ostream&) override { send(); }

    void log_entry_start(std::ostream&, const boost_ut::log_entry_data& data, log_entry_types type) override {
        const bool failed = type == BOOST_UTL_ET_ERROR || type == BOOST_UTL_ET_FATAL_ERROR;
        kind_ = failed ? event_kind::check_failed : event_kind::note;
        message_.clear();
        file_ = data.m_file_name;
        line_ = data.m_line_num;
    }
    using unit_test_log_formatter::log_entry_value;
    void log_entry_value(std::ostream&, boost_ut::const_string value) override { message_ += to_text(value); }
    void log_entry_finish(std::ostream&) override { send(); }

    void entry_context_start(std::ostream&, boost_ut::log_level) override { message_ += "\nin this context:"; }
    void log_entry_context(std::ostream&, boost_ut::log_level, boost_ut::const_string value) override {
        message_ += "\n  " + to_text(value);
    }
    void entry_context_finish(std::ostream&, boost_ut::log_level) override {}

private:
    void send() {
        if (kind_ == event_kind::note) {
            send_note();
            return;
        }
        emit(kind_, {},
             {{"message", message_},
              {"file", file_},
              {"line", static_cast<std::int64_t>(line_)},
              {"infrastructure", std::exchange(infrastructure_, false)},
              {"name", place()}});
    }

    void send_note() {
        // Specs often check by verbs that throw; that is no news.
        if (!message_.ends_with("did not check any assertions")) {
            emit(event_kind::note, {}, {{"text", message_}});
        }
    }

    static std::string place() {
        if (!the_worker().current_case.empty()) {
            return the_worker().current_case;
        }
        const auto id = boost_ut::framework::current_test_case_id();
        if (id == boost_ut::INV_TEST_UNIT_ID || id == boost_ut::framework::master_test_suite().p_id) {
            return "(global fixture)";
        }
        return boost_ut::framework::get(id, boost_ut::TUT_ANY).full_name() + "/(fixture)";
    }

    event_kind kind_ = event_kind::note;
    std::string message_;
    std::string file_;
    std::size_t line_ = 0;
    bool infrastructure_ = false;
};

/// The cases below a unit in the order in which they run: Boost.Test sorts siblings by rank (dependencies first).
class case_collector : public boost_ut::test_tree_visitor {
public:
    [[nodiscard]] static std::vector<const boost_ut::test_case*> below(boost_ut::test_unit_id root, bool enabled_only) {
        case_collector collector;
        boost_ut::traverse_test_tree(root, collector, !enabled_only);
        std::stable_sort(collector.found_.begin(), collector.found_.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        std::vector<const boost_ut::test_case*> cases;
        for (const auto& [path, one] : collector.found_) {
            cases.push_back(one);
        }
        return cases;
    }

private:
    using step = std::pair<boost_ut::counter_t, std::size_t>;  // rank, then order of declaration

    bool test_suite_start(const boost_ut::test_suite& suite) override {
        path_.emplace_back(suite.p_sibling_rank, ++sequence_);
        return true;
    }
    void test_suite_finish(const boost_ut::test_suite&) override { path_.pop_back(); }
    void visit(const boost_ut::test_case& one) override {
        auto path = path_;
        path.emplace_back(one.p_sibling_rank, ++sequence_);
        found_.emplace_back(std::move(path), &one);
    }

    std::vector<step> path_;
    std::size_t sequence_ = 0;
    std::vector<std::pair<std::vector<step>, const boost_ut::test_case*>> found_;
};

/// Its own labels and those of its suites, separated by commas.
inline std::string labels_of(const boost_ut::test_unit& unit) {
    std::string text;
    for (const auto* one = &unit;;) {
        for (const auto& label : one->p_labels.get()) {
            text.append(text.empty() ? "" : ",").append(label);
        }
        if (one->p_parent_id == boost_ut::INV_TEST_UNIT_ID) {
            return text;
        }
        one = &boost_ut::framework::get(one->p_parent_id, boost_ut::TUT_SUITE);
    }
}

/// Sends the plan and where each case begins and ends, and skips what an earlier worker finished.
class event_observer : public boost_ut::test_observer {
public:
    void test_start(boost_ut::counter_t, boost_ut::test_unit_id root) override {
        for (const auto* one : case_collector::below(root, true)) {
            announce(*one);
        }
        // Asking Boost.Test for its filters goes wrong where it was built by another compiler: it compares types by the
        // addresses of statics.
        const auto all = case_collector::below(root, false);
        filtered_ = std::any_of(all.begin(), all.end(), [](const auto* one) {
            return one->p_default_status == boost_ut::test_unit::RS_ENABLED && !one->is_enabled();
        });
    }

    void test_finish() override {
        const std::string reason =
            aborted_ ? "not run: a fatal error ended the run" : "not run: the fixture of its suite failed";
        for (const auto& name : std::exchange(unseen_, {})) {
            emit(event_kind::case_skipped, {}, {{"name", name}, {"reason", reason}});
        }
    }

    void test_aborted() override { aborted_ = true; }

    void test_unit_start(const boost_ut::test_unit& unit) override {
        if (unit.p_type == boost_ut::TUT_CASE) {
            auto& current = the_worker().current_case;
            current = unit.full_name();
            unseen_.erase(current);
            emit(event_kind::case_begin, {}, {{"name", current}});
        }
    }

    void test_unit_finish(const boost_ut::test_unit& unit, unsigned long microseconds) override {
        if (unit.p_type != boost_ut::TUT_CASE) {
            return;
        }
        boost_ut::unit_test_log << boost_ut::log::end();
        const bool passed = boost_ut::results_collector.results(unit.p_id).passed();
        failed_ += passed ? 0 : 1;
        auto& state = the_worker();
        for (const auto& hook : state.case_hooks) {
            run_hook(hook, passed);
        }
        emit(event_kind::case_end, {},
             {{"name", state.current_case}, {"seconds", static_cast<double>(microseconds) * 1e-6}, {"passed", passed}});
        state.current_case.clear();
    }

    void test_unit_skipped(const boost_ut::test_unit& unit, boost_ut::const_string reason) override {
        for (const auto* one : case_collector::below(unit.p_id, false)) {
            case_skipped(*one, to_text(reason));
        }
    }

    /// After all others: the log has an exception, and the results its consequence, before we look.
    int priority() override { return 1000; }

    [[nodiscard]] std::int64_t failed() const noexcept { return failed_; }

private:
    void announce(const boost_ut::test_case& one) {
        const auto name = one.full_name();
        if (the_worker().finished.contains(name)) {
            boost_ut::framework::get<boost_ut::test_case>(one.p_id).add_precondition(
                [](boost_ut::test_unit_id) { return boost::test_tools::assertion_result(false); });
            return;
        }
        unseen_.insert(name);
        emit(event_kind::plan, {},
             {{"name", name},
              {"file", to_text(one.p_file_name)},
              {"line", static_cast<std::int64_t>(one.p_line_num)},
              {"labels", labels_of(one)}});
    }

    void case_skipped(const boost_ut::test_case& one, const std::string& reason) {
        const auto name = one.full_name();
        const auto& finished = the_worker().finished;
        if (const auto earlier = finished.find(name); earlier != finished.end()) {
            // Boost.Test takes it for skipped; the cases that depend on it must see how it really ended.
            boost_ut::results_collector.test_unit_start(one);
            if (!earlier->second) {
                boost_ut::results_collector.test_unit_aborted(one);
            }
            return;
        }
        unseen_.erase(name);
        if (one.is_enabled() || !filtered_) {
            emit(event_kind::case_skipped, {},
                 {{"name", name},
                  {"reason", reason},
                  {"file", to_text(one.p_file_name)},
                  {"line", static_cast<std::int64_t>(one.p_line_num)}});
        }
    }

    std::set<std::string> unseen_;
    bool filtered_ = false;  ///< --run_test leaves cases out: what is disabled is no news then.
    std::int64_t failed_ = 0;
    bool aborted_ = false;
};

inline event_observer& the_observer() {
    static auto& observer = *new event_observer;
    return observer;
}

/// Whether the user wants to see Boost.Test's own log. Without that, the supervisor's log says it all.
inline bool asks_for_boost_log(const std::vector<char*>& arguments) {
    for (const char* variable :
         {"BOOST_TEST_LOGGER", "BOOST_TEST_LOG_LEVEL", "BOOST_TEST_LOG_FORMAT", "BOOST_TEST_LOG_SINK"}) {
        if (::getenv(variable) != nullptr) {
            return true;
        }
    }
    return std::any_of(arguments.begin(), arguments.end(), [](std::string_view argument) {
        return argument.starts_with("--log") || argument.starts_with("--output_format") || argument.starts_with("-l") ||
               argument.starts_with("-f") || argument.starts_with("-k") || argument.starts_with("-o");
    });
}

VMDSL_DECL void set_boost_test_defaults(const std::vector<char*>& arguments) {
    const auto set = [](const char* variable, const char* value) {
        if (::getenv(variable) == nullptr) {
            ::setenv(variable, value, 1);
            the_worker().own_variables.push_back(variable);
        }
    };
    set("BOOST_TEST_REPORT_LEVEL", "no");
    // Its way of going on after SIGSEGV jumps past destructors; the supervisor reports the crash and starts again.
    set("BOOST_TEST_CATCH_SYSTEM_ERRORS", "no");
    if (!asks_for_boost_log(arguments)) {
        set("BOOST_TEST_LOG_LEVEL", "nothing");
    }
    if (::isatty(STDOUT_FILENO) == 0) {
        set("BOOST_TEST_COLOR_OUTPUT", "no");
    }
}

VMDSL_DECL void take_back_boost_test_defaults() noexcept {
    for (const char* variable : the_worker().own_variables) {
        ::unsetenv(variable);
    }
    the_worker().own_variables.clear();
}

inline bool set_up_worker() {
    static std::ostream nowhere(nullptr);
    take_back_boost_test_defaults();
    boost_ut::unit_test_log.add_formatter(new event_formatter);
    boost_ut::unit_test_log.set_stream(boost_ut::OF_CUSTOM_LOGGER, nowhere);
    boost_ut::framework::register_observer(the_observer());
    boost_ut::unit_test_monitor.register_exception_translator<error>(&report_vmdsl_error);
    return true;
}

inline int worker_number(std::string_view text) {
    int value = -1;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

inline std::unordered_map<std::string, bool> read_finished_cases(const unique_fd& fd) {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::pread(fd.get(), buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;) {
        text.append(buffer, static_cast<std::size_t>(n));
    }
    std::unordered_map<std::string, bool> finished;
    for (std::string_view rest = text; !rest.empty();) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.size() > 1) {
            finished.emplace(line.substr(1), line.front() == '+');
        }
    }
    return finished;
}

VMDSL_DECL int worker_main(const std::vector<char*>& arguments) {
    if (arguments.size() < 4) {
        return 64;
    }
    const unique_fd events(worker_number(arguments[2]));
    const unique_fd finished(worker_number(arguments[3]));
    ::fcntl(events.get(), F_SETFD, FD_CLOEXEC);
    ::fcntl(finished.get(), F_SETFD, FD_CLOEXEC);
    auto& state = the_worker();
    state.finished = read_finished_cases(finished);
    set_event_descriptor(events.get());
    emit(event_kind::run_begin, {}, {{"pid", static_cast<std::int64_t>(::getpid())}});

    std::vector<char*> boost_arguments{arguments[0]};
    boost_arguments.insert(boost_arguments.end(), arguments.begin() + 4, arguments.end());
    boost_arguments.push_back(nullptr);
    set_boost_test_defaults(arguments);
    const int code =
        boost_ut::unit_test_main(&set_up_worker, static_cast<int>(boost_arguments.size() - 1), boost_arguments.data());
    for (const auto& hook : state.end_hooks) {
        run_hook(hook);
    }
    emit(event_kind::run_end, {}, {{"failed", the_observer().failed()}, {"code", static_cast<std::int64_t>(code)}});
    set_event_descriptor(-1);
    return code;
}

}  // namespace detail

VMDSL_DECL void on_case_end(std::function<void(bool passed)> hook) {
    detail::the_worker().case_hooks.push_back(std::move(hook));
}

VMDSL_DECL void on_worker_end(std::function<void()> hook) {
    detail::the_worker().end_hooks.push_back(std::move(hook));
}

}  // namespace vmdsl
