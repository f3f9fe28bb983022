// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/test/execution_monitor.hpp>
#include <boost/test/results_collector.hpp>
#include <boost/test/tree/observer.hpp>
#include <boost/test/tree/traverse.hpp>
#include <boost/test/tree/visitor.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/test/unit_test_log.hpp>
#include <boost/test/unit_test_log_formatter.hpp>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/config.hpp>
#include <vmdsl/core/event_stream.hpp>

/// Internal: what turns Boost.Test's notifications into events, in the worker process.
namespace vmdsl::detail {

namespace boost_ut = boost::unit_test;

inline std::string to_text(boost_ut::const_string text) {
    return {text.begin(), text.size()};
}

/// What the worker's parts share. Never destroyed: Boost.Test's own statics point to it until the very end.
struct worker_state {
    std::vector<std::function<void(bool)>> case_hooks;
    std::vector<std::function<void()>> end_hooks;
    std::unordered_map<std::string, bool> finished;    ///< By an earlier worker, and whether the case passed.
    std::string current_case;                          ///< Empty outside of any case.
    const boost_ut::test_unit* ending_case = nullptr;  ///< While the hooks run.
    std::vector<const char*> own_variables;            ///< Of the environment, set for Boost.Test.

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
            case_clock::restart();
        }
    }

    void test_unit_finish(const boost_ut::test_unit& unit, unsigned long /*microseconds*/) override {
        if (unit.p_type != boost_ut::TUT_CASE) {
            return;
        }
        boost_ut::unit_test_log << boost_ut::log::end();
        const auto has_passed = [&] { return boost_ut::results_collector.results(unit.p_id).passed(); };
        auto& state = the_worker();
        state.ending_case = &unit;
        for (const auto& hook : state.case_hooks) {
            run_hook(hook, has_passed());
        }
        state.ending_case = nullptr;
        const bool passed = has_passed();
        failed_ += passed ? 0 : 1;
        // Boost.Test's own figure has the time in it that the case's checkpoint took, where it was made.
        const auto seconds = std::chrono::duration<double>(case_clock::elapsed()).count();
        emit(event_kind::case_end, {}, {{"name", state.current_case}, {"seconds", seconds}, {"passed", passed}});
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

}  // namespace vmdsl::detail
