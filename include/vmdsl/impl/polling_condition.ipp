// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/scoped_value.hpp>
#include <vmdsl/detail/condition_check.hpp>
#include <vmdsl/detail/replay.hpp>
#include <vmdsl/polling_condition.hpp>

namespace vmdsl {

VMDSL_DECL polling_condition::polling_condition(std::string description, std::function<bool()> holds,
                                                source_location where)
    : description_(std::move(description)), holds_(std::move(holds)), where_(where) {
}

VMDSL_DECL polling_condition::watch::watch(const polling_condition& condition)
    : condition_(condition),
      outer_(duty_of_this_thread()),
      begin_(std::chrono::steady_clock::now()),
      next_(deadline::in(condition.interval_)) {
    duty_of_this_thread() = this;
}

VMDSL_DECL polling_condition::watch::~watch() {
    duty_of_this_thread() = outer_;
}

VMDSL_DECL deadline polling_condition::watch::due() const {
    return outer_ != nullptr ? earlier_of(next_, outer_->due()) : next_;
}

VMDSL_DECL void polling_condition::watch::perform() {
    if (outer_ != nullptr && outer_->due().expired()) {
        outer_->perform();
    }
    if (next_.expired()) {
        check();
    }
}

VMDSL_DECL void polling_condition::watch::check() {
    if (detail::replay_under_way()) {
        return;
    }
    error_details problem;
    bool holds = false;
    {
        const detail::scoped_value checking(detail::checking_on_this_thread(), true);
        // So that the verbs in it don't ask it again.
        const detail::scoped_value<wait_duty*> no_duty(duty_of_this_thread(), nullptr);
        try {
            holds = condition_.holds_();
        } catch (const machine_died&) {
            throw;
        } catch (const error& thrown) {
            problem = thrown.details();
        }
    }
    next_ = deadline::in(condition_.interval_);
    if (holds) {
        return;
    }
    const auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
    problem.what_failed = "the condition \"" + condition_.description_ + "\" did not hold after " +
                          std::to_string(seconds).substr(0, 5) + " s" +
                          (problem.what_failed.empty() ? "" : ": " + problem.what_failed);
    problem.where = to_string(condition_.where_);
    throw condition_failed(std::move(problem));
}

}  // namespace vmdsl
