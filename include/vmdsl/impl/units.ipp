// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <utility>

#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/shell_quote.hpp>
#include <vmdsl/detail/back_off.hpp>
#include <vmdsl/detail/units.hpp>
#include <vmdsl/guest/unit_properties.hpp>

namespace vmdsl::detail {

inline constexpr int not_up_yet = 240;  // exit codes that systemctl does not use
inline constexpr int no_systemd = 241;

/// Runs a command that asks systemd, as soon as there is one to be asked.
inline command_result ask_systemd(machine_runtime& machine, const std::string& command, deadline until) {
    const auto text = "[ -d /run/systemd/system ] || { command -v systemctl >/dev/null && exit " +
                      std::to_string(not_up_yet) + "; exit " + std::to_string(no_systemd) + "; }; " + command;
    for (back_off pauses(std::chrono::milliseconds(50), std::chrono::milliseconds(500));;) {
        auto result = machine.execute(command_request::shell(text), until);
        if (result.exit_code() == no_systemd) {
            auto d = machine.details("has no systemd, so nothing can be asked about units");
            d.hint = "Give it an image whose packages bring one, or use run() and wait_until_succeeds().";
            throw guest_error(std::move(d));
        }
        if (result.exit_code() != not_up_yet) {
            return result;
        }
        if (!machine.pause_between_attempts(pauses.next(), until)) {
            throw timed_out(machine.details("its systemd did not come up " + until.limit_text()));
        }
    }
}

/// The same with what `systemctl status` says, where it says that in time. The time is its own: the verb's may be over.
/// It is short where the case's is, too, since the supervisor does not wait much longer.
inline error_details with_status(machine_runtime& machine, error_details d, const std::string& unit) {
    const auto ask = command_request::shell("systemctl status --no-pager --lines=20 -- " + shell_quoted(unit));
    auto until = case_clock::verb(std::chrono::seconds(10));
    if (until.expired()) {
        until = deadline::in(std::chrono::seconds(2));
    }
    try {
        const auto status = machine.execute(ask, until);
        d.out_tail = tail_of(status.out());
        d.err_tail = tail_of(status.err());
    } catch (const timed_out&) {
        d.hint = "systemctl status did not answer, so there is no more to say.";
    }
    return d;
}

enum class unit_verdict { active, waiting, hopeless };

/// `shown` has the property System besides: what `systemctl is-system-running` says.
inline unit_verdict judge_unit(const unit_properties& shown) {
    const auto value = [&](std::string_view name) { return shown.has(name) ? shown.value(name) : std::string(); };
    const auto state = value("ActiveState");
    if (state == "active") {
        return unit_verdict::active;
    }
    if (state == "failed") {
        return unit_verdict::hopeless;
    }
    const auto system = value("System");
    const bool booted = system == "running" || system == "degraded";
    const auto unit_job = value("Job");
    const bool has_job = !unit_job.empty() && unit_job != "0";
    if (state == "inactive" && booted && !has_job) {
        return unit_verdict::hopeless;
    }
    const auto load = value("LoadState");
    return load == "bad-setting" || load == "masked" ? unit_verdict::hopeless : unit_verdict::waiting;
}

VMDSL_DECL void await_unit(machine_runtime& machine, const std::string& unit, deadline until) {
    const std::string probe = "systemctl show --property=LoadState,ActiveState,SubState,Result,Job -- " +
                              shell_quoted(unit) + "; echo System=$(systemctl is-system-running)";
    for (back_off pauses(std::chrono::milliseconds(50), std::chrono::milliseconds(500));;) {
        const auto result = ask_systemd(machine, probe, until);
        const unit_properties shown(unit, result.out());
        const auto verdict = judge_unit(shown);
        if (verdict == unit_verdict::active) {
            return;
        }
        if (verdict == unit_verdict::hopeless) {
            throw guest_error(
                with_status(machine,
                            machine.details("unit " + unit + " will not become active: it is " + shown.active_state() +
                                            " (" + shown.sub_state() + "), load state " + shown.load_state()),
                            unit));
        }
        if (!machine.pause_between_attempts(pauses.next(), until)) {
            auto d = machine.details("unit " + unit + " did not become active " + until.limit_text() +
                                     "; systemd said last:");
            d.out_tail = tail_of(result.out() + result.err());
            throw timed_out(std::move(d));
        }
    }
}

VMDSL_DECL void change_unit(machine_runtime& machine, const std::string& verb, const std::string& unit,
                            deadline until) {
    const auto result = ask_systemd(machine, "systemctl " + verb + " -- " + shell_quoted(unit), until);
    if (result.succeeded()) {
        return;
    }
    auto d = with_status(machine, machine.details("could not " + verb + " unit " + unit), unit);
    d.err_tail = tail_of(result.err() + d.err_tail);
    throw guest_error(std::move(d));
}

VMDSL_DECL std::string show_unit(machine_runtime& machine, const std::string& unit, deadline until) {
    const auto result = ask_systemd(machine, "systemctl show --no-pager -- " + shell_quoted(unit), until);
    if (result.failed()) {
        auto d = machine.details("systemd does not tell about unit " + unit);
        d.err_tail = tail_of(result.err());
        throw guest_error(std::move(d));
    }
    return result.out();
}

}  // namespace vmdsl::detail
