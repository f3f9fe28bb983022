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

VMDSL_DECL void transcript::record(const verb_call& call, verb_answer answer) {
    const std::lock_guard lock(mutex_);
    auto& of_machine = entries_[call.machine];
    if (of_machine.entries.empty()) {
        of_machine.asked_by = std::this_thread::get_id();
    }
    of_machine.several_threads = of_machine.several_threads || of_machine.asked_by != std::this_thread::get_id();
    of_machine.entries.push_back({call, std::move(answer)});
}

VMDSL_DECL verb_answer transcript::answer_again(const verb_call& call) {
    const std::lock_guard lock(mutex_);
    auto& of_machine = entries_[call.machine];
    auto& entries = of_machine.entries;
    while (of_machine.next < entries.size() && entries[of_machine.next].given) {
        ++of_machine.next;
    }
    const auto next = entries.begin() + static_cast<std::ptrdiff_t>(of_machine.next);
    auto found = next;
    if (of_machine.several_threads) {
        found = std::find_if(next, entries.end(), [&](const entry& one) { return !one.given && one.call == call; });
    }
    if (found == entries.end() || found->call != call) {
        throw transcript_mismatch{next == entries.end() ? "nothing" : transcript_text(next->call),
                                  transcript_text(call)};
    }
    found->given = true;
    return found->answer;
}

VMDSL_DECL void transcript::start_recording() {
    const std::lock_guard lock(mutex_);
    entries_.clear();
    mode_ = mode::recording;
}

VMDSL_DECL bool transcript::is_recording() const {
    const std::lock_guard lock(mutex_);
    return mode_ == mode::recording;
}

VMDSL_DECL transcript::recording transcript::recorded() const {
    const std::lock_guard lock(mutex_);
    return entries_;
}

VMDSL_DECL void transcript::start_replay(recording recorded) {
    const std::lock_guard lock(mutex_);
    entries_ = std::move(recorded);
    mode_ = mode::replaying;
}

VMDSL_DECL void transcript::go_live() {
    const std::lock_guard lock(mutex_);
    if (mode_ == mode::replaying) {
        for (const auto& [machine, of_machine] : entries_) {
            for (const auto& one : of_machine.entries) {
                if (!one.given) {
                    throw transcript_mismatch{transcript_text(one.call), "nothing"};
                }
            }
        }
    }
    mode_ = mode::live;
}

}  // namespace vmdsl::detail
