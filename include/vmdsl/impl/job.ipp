// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <csignal>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/deadline.hpp>
#include <vmdsl/detail/job_state.hpp>
#include <vmdsl/detail/verb_answers.hpp>
#include <vmdsl/job.hpp>

namespace vmdsl {

VMDSL_DECL command_result job::wait(source_location where) {
    return wait(state_->limit, where);
}

VMDSL_DECL command_result job::wait(std::chrono::nanoseconds limit, source_location where) {
    return detail::result_of(state_->network->perform(state_->call("wait for", where), [&] {
        auto& machine = state_->network->machine(state_->index);
        const auto stream = state_->live();
        return detail::answer_of(machine.finish(*stream, state_->text, case_clock::verb(limit)));
    }));
}

VMDSL_DECL bool job::running(source_location where) const {
    const auto look = [&] {
        detail::verb_answer answer;
        answer.flag = !state_->live()->wait(deadline::in(std::chrono::nanoseconds(0)));
        return answer;
    };
    return state_->network->ask(state_->call("is running", where), look).flag;
}

VMDSL_DECL std::string job::out_so_far(source_location where) const {
    const auto look = [&] {
        detail::verb_answer answer;
        answer.out = state_->live()->collected(wire::channel::main);
        return answer;
    };
    return state_->network->ask(state_->call("output of", where), look).out;
}

VMDSL_DECL void job::signal(int number, source_location where) {
    (void)state_->network->perform(state_->call("signal " + std::to_string(number), where), [&] {
        state_->live()->send_signal(number, signal_target::process);
        return detail::verb_answer{};
    });
}

VMDSL_DECL void job::kill(source_location where) {
    (void)state_->network->perform(state_->call("kill", where), [&] {
        state_->live()->send_signal(SIGKILL, signal_target::tree);
        return detail::verb_answer{};
    });
}

}  // namespace vmdsl
