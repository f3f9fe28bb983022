// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <string>
#include <utility>

#include <vmdsl/detail/transcript.hpp>
#include <vmdsl/guest/command.hpp>

namespace vmdsl::detail {

inline verb_answer answer_of(const command_result& result) {
    verb_answer answer;
    answer.out = result.out();
    answer.err = result.err();
    answer.signal = result.signal();
    answer.number = result.signal() != 0 ? 0 : result.exit_code();
    answer.duration = result.duration();
    answer.flag = result.lingering();
    answer.outcome = result.describe();
    return answer;
}

/// For verbs that answer nothing but how it went.
inline verb_answer answer_with(std::string outcome) {
    verb_answer answer;
    answer.outcome = std::move(outcome);
    return answer;
}

inline command_result result_of(verb_answer answer) {
    return {std::move(answer.out), std::move(answer.err), static_cast<int>(answer.number),
            answer.signal,         answer.duration,       answer.flag};
}

}  // namespace vmdsl::detail
