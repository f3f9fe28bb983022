// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>

#include <vmdsl/detail/transcript.hpp>

namespace vmdsl::detail {

inline std::string transcript_text(const verb_call& call) {
    return (call.machine.empty() ? "the network" : "machine \"" + call.machine + "\"") + ": " + call.verb +
           (call.arguments.empty() ? "" : " " + call.arguments);
}

VMDSL_DECL verb_answer transcript::perform(const verb_call& call, const std::function<verb_answer()>& live) {
    if (mode_ == mode::live) {
        return live();
    }
    if (mode_ == mode::replaying) {
        if (next_ == entries_.size() || entries_[next_].call != call) {
            throw transcript_mismatch{next_ == entries_.size() ? "nothing" : transcript_text(entries_[next_].call),
                                      transcript_text(call)};
        }
        const auto& answer = entries_[next_++].answer;
        if (answer.problem) {
            std::rethrow_exception(answer.problem);
        }
        return answer;
    }
    try {
        entries_.push_back({call, live()});
    } catch (...) {
        verb_answer thrown;
        thrown.problem = std::current_exception();
        entries_.push_back({call, thrown});
        throw;
    }
    return entries_.back().answer;
}

VMDSL_DECL void transcript::start_recording() {
    entries_.clear();
    mode_ = mode::recording;
}

VMDSL_DECL void transcript::start_replay() {
    next_ = 0;
    mode_ = mode::replaying;
}

VMDSL_DECL void transcript::go_live() {
    if (mode_ == mode::replaying && next_ != entries_.size()) {
        throw transcript_mismatch{transcript_text(entries_[next_].call), "nothing"};
    }
    mode_ = mode::live;
}

VMDSL_DECL std::vector<std::uint32_t> transcript::streams_of(const std::string& machine) const {
    std::vector<std::uint32_t> streams;
    for (const auto& recorded : entries_) {
        if (recorded.answer.stream != 0 && recorded.call.machine == machine) {
            streams.push_back(recorded.answer.stream);
        }
    }
    return streams;
}

}  // namespace vmdsl::detail
