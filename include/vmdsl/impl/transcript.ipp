// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <utility>

#include <vmdsl/detail/transcript.hpp>

namespace vmdsl::detail {

VMDSL_DECL std::string text_of(const verb_call& call) {
    return call.verb + (call.arguments.empty() ? "" : " " + call.arguments);
}

inline std::string transcript_text(const verb_call& call) {
    return (call.machine.empty() ? "the network" : "machine \"" + call.machine + "\"") + ": " + text_of(call) +
           (call.content.empty() ? "" : " (" + std::to_string(call.content.size()) + " bytes)");
}

VMDSL_DECL verb_answer transcript::perform(const verb_call& call, const std::function<verb_answer()>& live) {
    mode now = mode::live;
    {
        const std::lock_guard lock(mutex_);
        now = mode_;
    }
    if (now == mode::live) {
        return live();
    }
    if (now == mode::replaying) {
        auto answer = answer_again(call);
        if (answer.problem) {
            std::rethrow_exception(answer.problem);
        }
        return answer;
    }
    try {
        auto answer = live();
        record(call, answer);
        return answer;
    } catch (...) {
        verb_answer thrown;
        thrown.problem = std::current_exception();
        record(call, std::move(thrown));
        throw;
    }
}

inline bool same_answer(const verb_answer& a, const verb_answer& b) {
    return !a.problem && !b.problem && a.out == b.out && a.err == b.err && a.number == b.number &&
           a.signal == b.signal && a.flag == b.flag && a.job == b.job;
}

VMDSL_DECL void transcript::record(const verb_call& call, verb_answer answer) {
    const std::lock_guard lock(mutex_);
    auto& [entries, asked_by, several_threads] = made_[call.machine];
    if (entries.empty()) {
        asked_by = std::this_thread::get_id();
    }
    several_threads = several_threads || asked_by != std::this_thread::get_id();
    if (call.question && !entries.empty() && entries.back().call == call &&
        same_answer(entries.back().answer, answer)) {
        ++entries.back().times;
        return;
    }
    entries.push_back({call, std::move(answer)});
}

VMDSL_DECL verb_answer transcript::answer_again(const verb_call& call) {
    static const sequence nothing_asked;
    const std::lock_guard lock(mutex_);
    const auto of_machine = replayed_->find(call.machine);
    const auto& [entries, asked_by, several_threads] =
        of_machine == replayed_->end() ? nothing_asked : of_machine->second;
    auto& [given, first_not] = progress_[call.machine];
    given.resize(entries.size());
    while (first_not < entries.size() && given[first_not] > 0) {
        ++first_not;
    }
    // The answer is the next one, or where several threads asked, any that was not given yet; for a question it may
    // also be the one that was given last.
    const auto oldest = several_threads || first_not == 0 ? 0 : first_not - 1;
    const auto begin = call.question ? oldest : first_not;
    const auto end = several_threads ? entries.size() : std::min(first_not + 1, entries.size());
    for (auto i = begin; i < end; ++i) {
        if (given[i] < entries[i].times && entries[i].call == call) {
            ++given[i];
            return entries[i].answer;
        }
    }
    for (auto i = end; call.question && i-- > begin;) {
        if (entries[i].call == call) {
            return entries[i].answer;
        }
    }
    throw transcript_mismatch{first_not == entries.size() ? "nothing" : transcript_text(entries[first_not].call),
                              transcript_text(call)};
}

VMDSL_DECL void transcript::start_recording() {
    const std::lock_guard lock(mutex_);
    made_.clear();
    mode_ = mode::recording;
}

VMDSL_DECL bool transcript::is_recording() const {
    const std::lock_guard lock(mutex_);
    return mode_ == mode::recording;
}

VMDSL_DECL std::shared_ptr<const transcript::recording> transcript::take_recording() {
    const std::lock_guard lock(mutex_);
    mode_ = mode::live;
    return std::make_shared<const recording>(std::exchange(made_, {}));
}

VMDSL_DECL void transcript::start_replay(std::shared_ptr<const recording> recorded) {
    const std::lock_guard lock(mutex_);
    replayed_ = std::move(recorded);
    progress_.clear();
    mode_ = mode::replaying;
}

VMDSL_DECL void transcript::go_live() {
    const std::lock_guard lock(mutex_);
    if (mode_ == mode::replaying) {
        for (const auto& [machine, of_machine] : *replayed_) {
            auto& given = progress_[machine].given;
            given.resize(of_machine.entries.size());
            if (const auto left = std::find(given.begin(), given.end(), std::size_t{0}); left != given.end()) {
                const auto index = static_cast<std::size_t>(left - given.begin());
                throw transcript_mismatch{transcript_text(of_machine.entries[index].call), "nothing"};
            }
        }
    }
    mode_ = mode::live;
}

}  // namespace vmdsl::detail
