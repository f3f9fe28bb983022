// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/net/addressing.hpp>
#include <vmdsl/qemu/memory_file.hpp>
#include <vmdsl/qemu/program.hpp>
#include <vmdsl/qemu/qcow2_overlay.hpp>

namespace vmdsl::detail {

inline image_description image_of(const machine_plan& plan) {
    if (plan.kernel.empty()) {
        return find_image(plan.image);
    }
    image_description image;
    image.name = plan.kernel;
    image.kernel = plan.kernel;
    image.initrd = plan.initrd;
    image.kernel_arguments = {"console=ttyS0", "panic=-1"};
    for (const auto& path : {plan.kernel, plan.initrd}) {
        std::error_code ec;
        if (!std::filesystem::is_regular_file(path, ec)) {
            throw could_not_run("machine \"" + plan.name + "\" boots from " + path + ", which does not exist");
        }
    }
    return image;
}

VMDSL_DECL machine_runtime::machine_runtime(const network_plan& plan, std::size_t index, fabric& network,
                                            std::filesystem::path folder, const machine_snapshot* origin)
    : plan_(plan.machines.at(index)), image_(image_of(plan_)), network_(network), folder_(std::move(folder)) {
    settings_.host_name = plan_.name;
    settings_.machine_id = machine_id(plan_.name);
    settings_.hosts = hosts_file(plan);
    for (const auto& address : nic_addresses(plan, plan_.name)) {
        settings_.interfaces.push_back(interface_line(address));
        macs_.push_back(address.mac);
    }
    console_file_ = current_run().output_directory / ("console-" + plan_.name + ".log");
    console_fd_.reset(::open(console_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    make_disks(origin);
}

VMDSL_DECL machine_runtime::~machine_runtime() {
    release();
}

VMDSL_DECL void machine_runtime::make_disks(const machine_snapshot* origin) {
    if (origin != nullptr) {
        for (const auto& base : origin->disks) {
            auto disk = base;
            if (!base.read_only) {
                disk.path = (folder_ / (plan_.name + "-" + base.serial + ".qcow2")).string();
                disk.format = "qcow2";
                make_qcow2_overlay(disk.path, base.path, "qcow2", qcow2_virtual_size(base.path));
            }
            disks_.push_back(std::move(disk));
        }
        if (!origin->console_tail.empty()) {
            console_.feed(origin->console_tail + "\n--- restored ---\n");
        }
        return;
    }
    if (!image_.root.empty()) {
        disks_.push_back({"root", image_.root, "raw", true});
    }
    if (!image_.scratch.empty()) {
        const auto path = (folder_ / (plan_.name + "-scratch.qcow2")).string();
        make_qcow2_overlay(path, image_.scratch, "raw", std::filesystem::file_size(image_.scratch));
        disks_.push_back({"scratch", path, "qcow2", false});
    }
    for (const auto& disk : plan_.disks) {
        const auto path = (folder_ / (plan_.name + "-" + disk.name + ".qcow2")).string();
        make_qcow2(path, disk.bytes);
        disks_.push_back({disk.name, path, "qcow2", false});
    }
}

VMDSL_DECL void machine_runtime::launch(const unique_fd& memory, bool shared, bool incoming, deadline until) {
    qemu_configuration configuration;
    configuration.name = plan_.name;
    configuration.uuid = machine_uuid(plan_.name);
    configuration.accelerator = choose_accelerator(current_run().acceleration, image_.kernel);
    configuration.memory_bytes = plan_.memory_bytes;
    configuration.vcpus = plan_.vcpus;
    configuration.memory_shared = shared;
    configuration.incoming = incoming;
    configuration.disks = disks_;
    configuration.kernel = image_.kernel;
    configuration.initrd = image_.initrd;
    configuration.kernel_arguments = image_.kernel_arguments;
    if (plan_.volatile_root) {
        configuration.kernel_arguments.emplace_back("vmdsl.volatile_root");
    }
    configuration.kernel_arguments.insert(configuration.kernel_arguments.end(), plan_.kernel_arguments.begin(),
                                          plan_.kernel_arguments.end());
    configuration.extra = plan_.qemu_arguments;

    std::vector<unique_fd> cables;
    for (std::size_t i = 0; i < macs_.size(); ++i) {
        cables.push_back(network_.attach(plan_.name, i));
        configuration.nics.push_back({-1, macs_[i]});
    }
    {
        const std::lock_guard lock(mutex_);
        death_.reset();
        end_expected_ = false;
        agent_expected_to_end_ = false;
        console_.restart();
    }
    // Should the case hang or crash, nobody is left in this process to say what the console showed.
    emit(event_kind::evidence, plan_.name, {{"console_file", console_file_.string()}});
    machine_handlers handlers;
    handlers.console = [this](std::string_view bytes) { take_console(bytes); };
    handlers.qmp_event = [this](std::string_view event) { take_event(event); };
    handlers.exited = [this](const child_exit& exit) { take_exit(exit); };
    handlers.agent_port = [this](bool open) {
        const std::lock_guard lock(mutex_);
        if (!open && agent_) {
            agent_->expect_restart();  // what was under way ends now; the next agent says hello
        }
    };
    process_ = std::make_unique<machine_process>(std::move(configuration), memory, std::move(cables),
                                                 std::move(handlers), until);
    auto fresh = std::make_shared<agent_client>(process_->take_agent_socket(),
                                                [this](std::string reason) { die(std::move(reason), console_tail()); });
    std::optional<error_details> dead;
    {
        const std::lock_guard lock(mutex_);
        agent_ = fresh;
        dead = death_;
    }
    if (dead) {
        fresh->lose(*dead);
    }
}

VMDSL_DECL void machine_runtime::boot(deadline until) {
    if (running()) {
        throw usage_error("machine \"" + plan_.name + "\" is running already");
    }
    release();
    memory_ = make_memory_file("vmdsl-" + plan_.name, plan_.memory_bytes);
    launch(memory_, true, false, until);
    await_boot(until);
}

VMDSL_DECL void machine_runtime::await_boot(deadline until) {
    const auto guest = agent();
    try {
        (void)guest->await_hello(until);
        if (const auto problems = guest->configure(settings_, until); !problems.empty()) {
            emit(event_kind::warning, plan_.name, {{"text", "the guest could not be set up completely: " + problems}});
        }
        await_ready_unit(until);
    } catch (const timed_out&) {
        throw timed_out(
            details("did not boot in time: its agent did not answer (is the agent in the initrd, and does the kernel "
                    "have virtio?)",
                    {}));
    }
}

VMDSL_DECL void machine_runtime::await_ready_unit(deadline until) {
    if (image_.ready_unit.empty()) {
        return;
    }
    const std::string probe = "systemctl is-active --quiet " + image_.ready_unit;
    for (auto pause = std::chrono::milliseconds(50);; pause = std::min(pause * 2, std::chrono::milliseconds(400))) {
        const auto result = execute({probe, {}, {}, {}}, until, {});
        if (result.succeeded()) {
            return;
        }
        if (!pause_between_attempts(pause, until)) {
            throw timed_out(details("did not reach " + image_.ready_unit + " in time", {}));
        }
    }
}

VMDSL_DECL void machine_runtime::reboot(deadline until) {
    const auto guest = agent();
    guest->expect_restart();
    guest->power(wire::power::reboot);
    {
        const std::lock_guard lock(mutex_);
        console_.restart();
    }
    await_boot(until);
}

VMDSL_DECL void machine_runtime::shutdown(deadline until) {
    const auto guest = agent();
    {
        const std::lock_guard lock(mutex_);
        end_expected_ = true;
    }
    guest->power(wire::power::off);
    if (!process_->wait(until)) {
        throw timed_out(details("did not switch itself off in time", {}));
    }
    release();
}

VMDSL_DECL void machine_runtime::crash() {
    if (!process_) {
        throw usage_error("machine \"" + plan_.name + "\" is switched off, so it can't crash");
    }
    release();
}

VMDSL_DECL void machine_runtime::release() {
    forwards_.clear();
    if (process_) {
        {
            const std::lock_guard lock(mutex_);
            end_expected_ = true;
        }
        (void)process_->kill();
    }
    std::shared_ptr<agent_client> old;
    {
        const std::lock_guard lock(mutex_);
        old = std::move(agent_);
        agent_.reset();
    }
    if (old) {
        old->lose(details("was switched off", {}));
        old.reset();
    }
    process_.reset();
    network_.detach(plan_.name);
    memory_.reset();
}

VMDSL_DECL void machine_runtime::load(const machine_snapshot& snapshot, deadline until) {
    launch(snapshot.memory, false, true, until);
    agent()->restore(snapshot.streams);
    process_->load_devices(reopen_memory_file(snapshot.devices), until);
}

VMDSL_DECL void machine_runtime::wake(const std::vector<std::uint32_t>& streams, deadline until) {
    const auto guest = agent();
    for (const auto stream : streams) {
        (void)guest->attach(stream);
    }
    process_->resume(until);
    guest->resume(true, until);
}

VMDSL_DECL void machine_runtime::quiesce(deadline until) {
    agent()->quiesce(until);
}

VMDSL_DECL void machine_runtime::pause(deadline until) {
    process_->pause(until);
}

VMDSL_DECL machine_snapshot machine_runtime::save(deadline until) {
    machine_snapshot snapshot;
    snapshot.running = running();
    snapshot.disks = disks_;
    snapshot.console_tail = console_tail();
    if (!snapshot.running) {
        return snapshot;
    }
    snapshot.streams = agent()->save();
    snapshot.devices = make_memory_file("vmdsl-state-" + plan_.name, 0);
    process_->save_devices(reopen_memory_file(snapshot.devices), until);
    snapshot.memory = std::move(memory_);
    release();
    return snapshot;
}

VMDSL_DECL bool machine_runtime::running() const {
    const std::lock_guard lock(mutex_);
    return agent_ != nullptr && !death_;
}

VMDSL_DECL std::shared_ptr<agent_client> machine_runtime::agent() const {
    const std::lock_guard lock(mutex_);
    if (death_) {
        throw machine_died(*death_);
    }
    if (!agent_) {
        throw usage_error("machine \"" + plan_.name + "\" is switched off", "Call start() first.");
    }
    return agent_;
}

VMDSL_DECL command_result machine_runtime::execute(const command_request& request, deadline until,
                                                   const source_location& where) {
    const auto stream = agent()->start_command(request);
    return finish(*stream, request.shell_text, until, where);
}

VMDSL_DECL command_result machine_runtime::finish(agent_stream& stream, const std::string& text, deadline until,
                                                  const source_location& where) {
    const auto fill = [&](error_details d) {
        d.command = text;
        d.out_tail = tail_of(stream.collected(wire::channel::main));
        d.err_tail = tail_of(stream.collected(wire::channel::errors));
        return d;
    };
    try {
        const auto started = deadline::clock::now();
        auto end = stream.wait(until);
        if (!end) {
            stream.close();  // the guest kills the whole tree
            const auto killed = stream.wait(deadline::in(std::chrono::seconds(20))).has_value();
            const auto seconds = std::chrono::duration<double>(deadline::clock::now() - started).count();
            throw timed_out(
                fill(details("the command did not end within " + std::to_string(seconds).substr(0, 5) + " s; " +
                                 (killed ? "all its processes were killed" : "its processes could not be killed"),
                             where)));
        }
        if (end->failed) {
            if (end->error_number == ECONNRESET) {
                throw machine_died(fill(details("was restarted (or its agent was) while a command ran", where)));
            }
            throw guest_error(fill(details("the command could not be run: " + end->error_text, where)));
        }
        return {stream.collected(wire::channel::main),
                stream.collected(wire::channel::errors),
                end->exit_code,
                end->signal,
                end->duration,
                end->lingering};
    } catch (const machine_died& death) {
        if (death.details().command.empty()) {
            auto d = death.details();
            d.where = to_string(where);
            const auto console = d.console_tail;
            d = fill(std::move(d));
            d.console_tail = console;
            throw machine_died(d);
        }
        throw;
    }
}

VMDSL_DECL bool machine_runtime::pause_between_attempts(std::chrono::milliseconds pause, deadline until) {
    std::unique_lock lock(mutex_);
    const auto next = earlier_of(until, deadline::in(pause));
    changed_.wait_until(lock, next.moment(), [&] { return death_.has_value(); });
    if (death_) {
        throw machine_died(*death_);
    }
    return !until.expired();
}

VMDSL_DECL std::uint16_t machine_runtime::forwarded(std::uint16_t guest_port) {
    const auto known = forwards_.find(guest_port);
    if (known != forwards_.end()) {
        return known->second->port();
    }
    const auto declared = std::find_if(plan_.forwards.begin(), plan_.forwards.end(),
                                       [&](const forward_plan& f) { return f.guest_port == guest_port; });
    const std::uint16_t host_port =
        current_run().interactive && declared != plan_.forwards.end() ? declared->host_port : std::uint16_t{0};
    auto forward = std::make_unique<port_forward>(host_port, [this, guest_port](stream_sink sink) {
        std::shared_ptr<agent_client> guest;
        {
            const std::lock_guard lock(mutex_);
            guest = death_ ? nullptr : agent_;
        }
        return guest ? guest->dial("tcp", "127.0.0.1", guest_port, std::move(sink)) : nullptr;
    });
    return forwards_.emplace(guest_port, std::move(forward)).first->second->port();
}

VMDSL_DECL std::string machine_runtime::console_tail(std::size_t lines) const {
    const std::lock_guard lock(mutex_);
    return console_.tail(lines);
}

VMDSL_DECL error_details machine_runtime::details(std::string what_failed, const source_location& where) const {
    error_details d;
    d.machine = plan_.name;
    d.what_failed = std::move(what_failed);
    d.where = to_string(where);
    d.console_tail = console_tail();
    return d;
}

VMDSL_DECL void machine_runtime::take_console(std::string_view bytes) {
    std::optional<std::string> panic;
    {
        const std::lock_guard lock(mutex_);
        panic = console_.feed(bytes);
    }
    while (!bytes.empty() && console_fd_) {
        const auto n = ::write(console_fd_.get(), bytes.data(), bytes.size());
        if (n <= 0) {
            break;  // a full disk: the tail in memory is what is left
        }
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    if (panic) {
        // Kernels without pvpanic say it only here. The rest of its words is in the same burst or the file.
        die("its kernel panicked: " + *panic, console_tail());
    }
}

VMDSL_DECL void machine_runtime::take_event(std::string_view event) {
    if (event == "GUEST_PANICKED") {
        std::string words;
        {
            const std::lock_guard lock(mutex_);
            words = console_.panic_text();
        }
        die("its kernel panicked (the machine is kept as it was then)", words.empty() ? console_tail() : words);
    }
}

VMDSL_DECL void machine_runtime::take_exit(const child_exit& exit) {
    bool expected = false;
    {
        const std::lock_guard lock(mutex_);
        expected = end_expected_;
    }
    if (expected) {
        return;
    }
    const bool orderly = exit.signal == 0 && exit.code == 0;
    die(orderly ? std::string("the guest switched itself off")
                : "QEMU " + exit.describe() + (exit.output_tail.empty() ? "" : " and said: " + exit.output_tail),
        console_tail());
}

VMDSL_DECL void machine_runtime::die(std::string what_failed, std::string console) {
    error_details d;
    d.machine = plan_.name;
    d.what_failed = std::move(what_failed);
    d.console_tail = std::move(console);
    std::shared_ptr<agent_client> agent;
    {
        const std::lock_guard lock(mutex_);
        if (death_) {
            return;
        }
        death_ = d;
        agent = agent_;
    }
    changed_.notify_all();
    if (agent) {
        agent->lose(d);
    }
}

}  // namespace vmdsl::detail
