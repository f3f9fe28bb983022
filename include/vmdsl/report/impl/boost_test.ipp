// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <boost/test/unit_test_log.hpp>
#include <boost/test/unit_test_monitor.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/report/boost_events.hpp>
#include <vmdsl/report/boost_test.hpp>

namespace vmdsl {

namespace detail {

/// The error's words for a report, which has its place beside them; where it belongs to a case, the console too, and
/// whole.
inline std::string words_of(const error& e) {
    auto details = e.details();
    details.where.clear();
    if (!the_worker().current_case.empty()) {
        details.console_tail.clear();
    }
    return error::render(details);
}

/// Boost.Test's translators get an exception before anything turns it into a text; what they throw is reported.
inline void report_vmdsl_error(const error& e) {
    auto& state = the_worker();
    state.error_text = words_of(e);
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

VMDSL_DECL void fail_ending_case(const error& problem) {
    const auto& state = detail::the_worker();
    if (state.ending_case == nullptr) {
        return;
    }
    emit(event_kind::exception, {},
         {{"message", detail::words_of(problem)},
          {"file", detail::to_text(state.ending_case->p_file_name)},
          {"line", static_cast<std::int64_t>(state.ending_case->p_line_num)},
          {"infrastructure", false},
          {"name", state.current_case}});
    detail::boost_ut::results_collector.test_unit_aborted(*state.ending_case);
}

VMDSL_DECL std::string running_case() {
    return detail::the_worker().current_case;
}

VMDSL_DECL void on_worker_end(std::function<void()> hook) {
    detail::the_worker().end_hooks.push_back(std::move(hook));
}

}  // namespace vmdsl
