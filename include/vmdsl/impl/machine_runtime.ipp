// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <vmdsl/core/attentive_wait.hpp>
#include <vmdsl/core/case_clock.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/back_off.hpp>
#include <vmdsl/detail/machine_description.hpp>
#include <vmdsl/detail/machine_needs.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/qemu/memory_file.hpp>
#include <vmdsl/report/boost_test.hpp>

namespace vmdsl::detail {

VMDSL_DECL machine_runtime::machine_runtime(const network_plan& plan, std::size_t index, fabric& network,
                                            std::filesystem::path folder, const machine_snapshot* origin)
    : plan_(plan.machines.at(index)),
      position_(index),
      image_(image_of(plan_)),
      network_(network),
      folder_(std::move(folder)),
      console_writer_(current_run().output_directory / ("console-" + plan_.name + ".log")),
      coverage_(plan_.name, image_.builds) {
    check_memory(plan_);
    settings_.host_name = plan_.name;
    settings_.machine_id = machine_id(plan_.name);
    settings_.hosts = hosts_file(plan);
    for (const auto& address : nic_addresses(plan, plan_.name)) {
        settings_.interfaces.push_back(interface_line(address));
        macs_.push_back(address.mac);
    }
    make_disks(origin);
}

VMDSL_DECL machine_runtime::~machine_runtime() {
    forwards_.clear();  // they ask for the agent
    release();
}

VMDSL_DECL void machine_runtime::make_disks(const machine_snapshot* origin) {
    if (origin == nullptr) {
        disks_ = new_disks(plan_, image_, folder_);
        return;
    }
    boots_ = origin->boots;
    disks_ = overlays_of(origin->disks, plan_, folder_);
    if (!origin->console_tail.empty()) {
        console_.feed(origin->console_tail);
        console_.end_unfinished_line();
        console_.feed("--- restored ---\n");
    }
}

VMDSL_DECL void machine_runtime::launch(const unique_fd& memory, beginning with, deadline until) {
    auto configuration = configuration_of(plan_, image_);
    configuration.memory_shared = with == beginning::empty;
    configuration.incoming = with == beginning::saved_state;
    configuration.disks = disks_;
    std::vector<unique_fd> cables;
    for (std::size_t i = 0; i < macs_.size(); ++i) {
        cables.push_back(network_.attach(plan_.name, i));
        configuration.nics.push_back({-1, macs_[i]});
    }
    {
        const std::lock_guard lock(mutex_);
        death_.reset();
        expected_ = ending::death;
        switched_off_ = false;
        silent_ = false;
        console_.restart();
        console_.end_unfinished_line();
    }
    signs_.begin();
    name_console(with == beginning::saved_state ? "restored" : "switched on");
    machine_handlers handlers;
    handlers.console = [this](std::string_view bytes) { take_console(bytes); };
    handlers.qmp_event = [this](std::string_view event, std::string_view data) { take_event(event, data); };
    handlers.exited = [this](const child_exit& exit) { take_exit(exit); };
    handlers.agent_port = [this](bool open) {
        const std::lock_guard lock(mutex_);
        if (!open && agent_) {
            agent_->port_closed();  // what was under way ends now; the next agent says hello
        }
    };
    auto started = std::make_shared<machine_process>(std::move(configuration), memory, std::move(cables),
                                                     std::move(handlers), until);
    auto fresh = std::make_shared<agent_client>(started->take_agent_socket(), [this](std::string reason) {
        std::unique_lock lock(mutex_);
        auto words = console_.tail();
        die(std::move(lock), std::move(reason), std::move(words));
    });
    std::optional<error_details> dead;
    {
        const std::lock_guard lock(mutex_);
        process_ = std::move(started);
        agent_ = fresh;
        dead = death_;
    }
    if (dead) {
        fresh->lose(*dead);
    }
}

/// Should the case hang or crash, nobody is left in this process to say what the console showed.
VMDSL_DECL void machine_runtime::name_console(std::string_view how_it_starts) {
    const auto name = running_case();
    const auto offset = console_writer_.begin_part((name.empty() ? "" : name + ", ") + std::string(how_it_starts));
    emit(event_kind::evidence, plan_.name,
         {{"console_file", console_writer_.path().string()},
          {"offset", static_cast<std::int64_t>(offset)},
          {"position", static_cast<std::int64_t>(position_)}});
}

VMDSL_DECL void machine_runtime::boot(deadline until) {
    const std::unique_lock starting(starting_, std::try_to_lock);
    if (!starting || running()) {
        throw misuse_of(plan_, "it is running already");
    }
    release();
    {
        const std::lock_guard lock(mutex_);
        ++boots_;
    }
    bind_declared_ports();
    try {
        memory_ = make_memory_file("vmdsl-" + plan_.name, plan_.memory_bytes);
        launch(memory_, beginning::empty, until);
        await_boot("did not boot " + until.limit_text() +
                       ": its agent did not answer (is the agent in the initrd, and does the kernel have virtio?)",
                   until);
    } catch (const could_not_run& problem) {
        release();
        throw named(problem, plan_);
    } catch (...) {
        release();
        throw;
    }
}

VMDSL_DECL void machine_runtime::await_boot(const std::string& problem_if_late, deadline until) {
    const auto guest = agent();
    try {
        (void)guest->await_hello(until);
        if (const auto problems = guest->configure(settings_, until); !problems.empty()) {
            emit(event_kind::warning, plan_.name, {{"text", "the guest could not be set up completely: " + problems}});
        }
    } catch (const timed_out&) {
        throw timed_out(details(problem_if_late));
    }
    await_ready_unit(until);
    coverage_.begin();
}

VMDSL_DECL void machine_runtime::collect_coverage() {
    coverage_.collect(running(), [&](const auto& asked, auto until) { return run_collector(*agent(), asked, until); });
}

VMDSL_DECL void machine_runtime::await_ready_unit(deadline until) {
    if (image_.ready_unit.empty()) {
        return;
    }
    const auto probe = command_request::shell("systemctl is-active --quiet " + image_.ready_unit);
    back_off pauses(std::chrono::milliseconds(50), std::chrono::milliseconds(400));
    while (!execute(probe, until).succeeded()) {
        if (!pause_between_attempts(pauses.next(), until)) {
            throw timed_out(details("did not reach " + image_.ready_unit + " " + until.limit_text()));
        }
    }
}

VMDSL_DECL void machine_runtime::set_hosts(const std::string& hosts, deadline until) {
    settings_.hosts = hosts;
    if (!running()) {
        return;
    }
    if (const auto problems = agent()->set_hosts(hosts, until); !problems.empty()) {
        emit(event_kind::warning, plan_.name, {{"text", "/etc/hosts could not be changed: " + problems}});
    }
}

VMDSL_DECL std::unique_lock<std::mutex> machine_runtime::lock_start() {
    std::unique_lock starting(starting_, std::try_to_lock);
    if (!starting) {
        throw misuse_of(plan_, "it is being started or restarted by another thread already",
                        "Let one thread do that, and the others wait for it.");
    }
    return starting;
}

VMDSL_DECL void machine_runtime::reboot(std::chrono::nanoseconds limit) {
    const auto starting = lock_start();
    const auto guest = agent();
    case_clock::outside([&] { collect_coverage(); });
    const auto until = case_clock::verb(limit);
    {
        const std::lock_guard lock(mutex_);
        console_.restart();
    }
    guest->expect_restart();
    guest->power(wire::power::reboot);
    await_boot("did not come back from its reboot " + until.limit_text(), until);
}

VMDSL_DECL void machine_runtime::reset(deadline until) {
    const auto starting = lock_start();
    const auto guest = agent();
    guest->expect_restart();
    coverage_.lose("reset() restarted it: what it had counted since the last collection is lost");
    (void)qmp("system_reset", "{}", until);
    await_boot("did not come up again " + until.limit_text(), until);
}

VMDSL_DECL void machine_runtime::shutdown(std::chrono::nanoseconds limit) {
    const auto guest = agent();
    case_clock::outside([&] { collect_coverage(); });
    const auto until = case_clock::verb(limit);
    {
        const std::lock_guard lock(mutex_);
        expected_ = ending::switched_off;
    }
    guest->power(wire::power::off);
    {
        std::unique_lock lock(mutex_);
        attentive_wait(changed_, lock, until, [&] { return switched_off_ || death_ || !agent_; });
        if (death_) {
            throw machine_died(*death_);
        }
        if (!agent_) {
            return;  // somebody else took its power away meanwhile
        }
        if (!switched_off_) {
            expected_ = ending::death;
            lock.unlock();
            throw timed_out(details("did not switch itself off " + until.limit_text()));
        }
    }
    release();
}

VMDSL_DECL void machine_runtime::crash() {
    (void)process();  // throws where there is no power to take away
    coverage_.lose("crash() took its power away: what it had counted since the last collection is lost");
    release();
}

VMDSL_DECL void machine_runtime::release() {
    std::shared_ptr<machine_process> process;
    std::shared_ptr<agent_client> agent;
    unique_fd memory;
    {
        const std::lock_guard lock(mutex_);
        expected_ = ending::power_failure;
        process = std::exchange(process_, nullptr);
        agent = std::exchange(agent_, nullptr);
        memory = std::move(memory_);
        death_.reset();
        coverage_.end();
    }
    changed_.notify_all();
    signs_.end(error_details{plan_.name, "was switched off", {}, {}, {}, {}, {}, {}});
    if (process) {
        (void)process->kill();
    }
    if (agent) {
        agent->lose(details("was switched off"));
    }
    network_.detach(plan_.name);
}

VMDSL_DECL std::shared_ptr<machine_process> machine_runtime::process() const {
    const std::lock_guard lock(mutex_);
    if (!process_) {
        throw misuse_of(plan_, "it is switched off", "Call start() first.");
    }
    return process_;
}

VMDSL_DECL std::string machine_runtime::qmp(std::string_view command, std::string_view arguments, deadline until) {
    try {
        return process()->qmp(command, arguments, until);
    } catch (const machine_died&) {
        std::unique_lock lock(mutex_);  // the connection is closed a moment before it is known how QEMU ended
        changed_.wait_for(lock, std::chrono::seconds(5), [&] { return death_ || !process_; });
        throw machine_died(death_.value_or(error_details{plan_.name, "was switched off", {}, {}, {}, {}, {}, {}}));
    }
}

VMDSL_DECL void machine_runtime::load(const machine_snapshot& snapshot, deadline until) {
    bind_declared_ports();
    try {
        launch(snapshot.memory, beginning::saved_state, until);
    } catch (const could_not_run& problem) {
        throw named(problem, plan_);
    }
    agent()->restore(snapshot.streams);
    process()->load_devices(reopen_memory_file(snapshot.devices), until);
}

VMDSL_DECL void machine_runtime::wake(deadline until) {
    const auto guest = agent();
    process()->resume(until);
    guest->resume({}, until);
    coverage_.begin();
}

VMDSL_DECL void machine_runtime::quiesce(deadline until) {
    agent()->quiesce(until);
}

VMDSL_DECL machine_snapshot machine_runtime::save(deadline until) {
    machine_snapshot snapshot;
    snapshot.running = switched_on();
    snapshot.boots = boots();
    snapshot.disks = disks_;
    snapshot.console_tail = console_tail();
    if (!snapshot.running) {
        return snapshot;
    }
    snapshot.streams = agent()->save();
    snapshot.devices = make_memory_file("vmdsl-state-" + plan_.name, 0);
    process()->save_devices(reopen_memory_file(snapshot.devices), until);
    snapshot.memory = std::move(memory_);
    release();
    return snapshot;
}

VMDSL_DECL bool machine_runtime::running() const {
    const std::lock_guard lock(mutex_);
    return agent_ != nullptr && !death_ && !switched_off_;
}

VMDSL_DECL bool machine_runtime::switched_on() const {
    const std::lock_guard lock(mutex_);
    if (death_ && !switched_off_) {
        throw machine_died(*death_);
    }
    return agent_ != nullptr && !switched_off_;
}

VMDSL_DECL void machine_runtime::note_seen_death() {
    const std::lock_guard lock(mutex_);
    unseen_death_.reset();
}

VMDSL_DECL std::optional<error_details> machine_runtime::take_unseen_death() {
    const std::lock_guard lock(mutex_);
    return std::exchange(unseen_death_, std::nullopt);
}

VMDSL_DECL std::shared_ptr<agent_client> machine_runtime::agent() const {
    const std::lock_guard lock(mutex_);
    if (death_) {
        throw machine_died(*death_);
    }
    if (!agent_) {
        throw misuse_of(plan_, "it is switched off", "Call start() first.");
    }
    return agent_;
}

VMDSL_DECL std::uint32_t machine_runtime::boots() const {
    const std::lock_guard lock(mutex_);
    return boots_;
}

VMDSL_DECL std::shared_ptr<agent_stream> machine_runtime::attach(const job_stream& job) const {
    std::unique_lock lock(mutex_);
    if (death_) {
        throw machine_died(*death_);
    }
    if (!agent_ || job.boot != boots_) {
        lock.unlock();
        throw machine_died(details("was switched off"));
    }
    return agent_->attach(job.id);
}

/// What ended with its agent's port leaves it open for a moment what became of the machine.
VMDSL_DECL void machine_runtime::check_restart(const stream_end& end, const std::string& what) const {
    if (!end.failed || end.error_number != ECONNRESET) {
        return;
    }
    std::shared_ptr<agent_client> guest;
    {
        const std::lock_guard lock(mutex_);
        guest = agent_;
    }
    if (!guest) {
        throw machine_died(details("was switched off"));
    }
    guest->await_restart(deadline::in(std::chrono::seconds(20)));
    throw machine_died(details("was restarted (or its agent was) while " + what));
}

VMDSL_DECL stream_end machine_runtime::await_end(agent_stream& stream, const std::string& what, deadline until) const {
    auto end = stream.wait(until);
    if (!end) {
        throw timed_out(details(what + " did not end " + until.limit_text()));
    }
    check_restart(*end, what);
    return *std::move(end);
}

VMDSL_DECL command_result machine_runtime::execute(const command_request& request, deadline until) {
    const scoped_stream stream(agent()->start_command(request));
    return finish(*stream, request.shell_text, until);
}

/// What became of a command that was closed at its deadline.
inline std::string fate_of(const std::optional<stream_end>& end) {
    if (!end) {
        return "its processes could not be killed";
    }
    return end->failed ? end->error_text : "all its processes were killed";
}

VMDSL_DECL command_result machine_runtime::finish(agent_stream& stream, const std::string& text, deadline until) {
    const auto fill = [&](error_details d) {
        d.command = text;
        d.out_tail = tail_of(stream.collected(wire::channel::main));
        d.err_tail = tail_of(stream.collected(wire::channel::errors));
        return d;
    };
    try {
        auto end = stream.wait(until);
        if (!end) {
            stream.close();  // the guest kills the whole tree
            const auto fate = fate_of(stream.wait(deadline::in(kill_grace)));
            throw timed_out(fill(details("the command did not end " + until.limit_text() + "; " + fate)));
        }
        check_restart(*end, "a command ran");
        if (end->failed) {
            throw guest_error(fill(details("the command could not be run: " + end->error_text)));
        }
        return {stream.collected(wire::channel::main),
                stream.collected(wire::channel::errors),
                end->exit_code,
                end->signal,
                end->duration,
                end->lingering};
    } catch (const machine_died& death) {
        if (death.details().machine != plan_.name || !death.details().command.empty()) {
            throw;  // it is the death of what a condition asked meanwhile
        }
        throw machine_died(fill(death.details()));
    }
}

VMDSL_DECL bool machine_runtime::pause_between_attempts(std::chrono::milliseconds pause, deadline until) {
    std::unique_lock lock(mutex_);
    const auto next = earlier_of(until, deadline::in(pause));
    attentive_wait(changed_, lock, next, [&] { return death_.has_value(); });
    if (death_) {
        throw machine_died(*death_);
    }
    return !until.expired();
}

VMDSL_DECL std::uint16_t machine_runtime::forwarded(std::uint16_t guest_port) {
    const std::lock_guard lock(forwards_mutex_);
    auto& forward = forwards_[guest_port];
    if (forward) {
        return forward->port();
    }
    const auto declared = std::find_if(plan_.forwards.begin(), plan_.forwards.end(),
                                       [&](const forward_plan& f) { return f.guest_port == guest_port; });
    const std::uint16_t host_port =
        current_run().interactive && declared != plan_.forwards.end() ? declared->host_port : std::uint16_t{0};
    const auto dial = [this, guest_port](stream_sink sink) -> std::shared_ptr<agent_stream> {
        try {
            return agent()->dial("tcp", "127.0.0.1", guest_port, std::move(sink));
        } catch (const error&) {
            return nullptr;  // it is off or dead: the connection is closed
        }
    };
    try {
        forward = std::make_unique<port_forward>(host_port, dial);
    } catch (const could_not_run& problem) {
        throw named(problem, plan_);
    }
    return forward->port();
}

VMDSL_DECL void machine_runtime::bind_declared_ports() {
    if (!current_run().interactive) {
        return;
    }
    for (const auto& declared : plan_.forwards) {
        if (declared.host_port != 0) {
            (void)forwarded(declared.guest_port);
        }
    }
}

VMDSL_DECL std::string machine_runtime::console_tail(std::size_t lines) const {
    const std::lock_guard lock(mutex_);
    return console_.tail(lines);
}

VMDSL_DECL std::string machine_runtime::last_words() {
    std::unique_lock lock(mutex_);
    if (console_.panic_text().empty()) {
        return console_.tail();
    }
    changed_.wait_for(lock, std::chrono::seconds(2), [&] { return silent_ || !process_; });
    return console_.panic_text();
}

VMDSL_DECL error_details machine_runtime::details(std::string what_failed) const {
    error_details d;
    d.machine = plan_.name;
    d.what_failed = std::move(what_failed);
    d.console_tail = console_tail();
    return d;
}

VMDSL_DECL void machine_runtime::take_console(std::string_view bytes) {
    console_writer_.append(bytes);
    signs_.take_console(bytes);
    std::unique_lock lock(mutex_);
    if (const auto panic = console_.feed(bytes)) {
        // Kernels without pvpanic say it only here. The rest of its words is in the same burst or the file.
        auto words = console_.panic_text();
        die(std::move(lock), "its kernel panicked: " + *panic, std::move(words));
    }
}

VMDSL_DECL void machine_runtime::take_event(std::string_view event, std::string_view data) {
    if (event == "RESET") {
        const std::lock_guard lock(mutex_);
        if (agent_) {
            agent_->expect_restart();  // whoever hears of the reset from now on speaks with the next agent
            agent_->guest_was_reset();
        }
    }
    signs_.take_event(event, data);
    if (event == "GUEST_PANICKED") {
        std::unique_lock lock(mutex_);
        silent_ = true;
        changed_.notify_all();
        auto words = console_.panic_text();
        if (words.empty()) {
            words = console_.tail();
        }
        die(std::move(lock), "its kernel panicked (the machine is kept as it was then)", std::move(words));
    }
}

VMDSL_DECL void machine_runtime::take_exit(const child_exit& exit) {
    std::unique_lock lock(mutex_);
    silent_ = true;
    changed_.notify_all();
    switched_off_ = exit.signal == 0 && exit.code == 0 && !death_;
    if (switched_off_ && expected_ == ending::switched_off) {
        lock.unlock();
        changed_.notify_all();
        return;
    }
    auto words = console_.tail();
    die(std::move(lock),
        switched_off_ ? std::string("the guest switched itself off")
                      : "QEMU " + exit.describe() + (exit.output_tail.empty() ? "" : " and said: " + exit.output_tail),
        std::move(words));
}

VMDSL_DECL void machine_runtime::die(std::unique_lock<std::mutex> lock, std::string what_failed, std::string console) {
    if (death_ || expected_ == ending::power_failure) {
        return;
    }
    error_details d;
    d.machine = plan_.name;
    d.what_failed = std::move(what_failed);
    d.console_tail = std::move(console);
    death_ = d;
    if (!switched_off_) {
        unseen_death_ = d;
    }
    const auto agent = agent_;
    lock.unlock();
    changed_.notify_all();
    signs_.end(d);
    if (agent) {
        agent->lose(std::move(d));
    }
}

}  // namespace vmdsl::detail
