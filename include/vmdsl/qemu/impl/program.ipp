// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>

#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/timed_phase.hpp>
#include <vmdsl/process/child.hpp>
#include <vmdsl/qemu/program.hpp>

namespace vmdsl {

namespace detail {

VMDSL_DECL std::string find_in_path(std::string_view name) {
    const char* path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
    while (!rest.empty()) {
        const auto end = rest.find(':');
        const auto candidate = std::filesystem::path(rest.substr(0, end)) / name;
        if (::access(candidate.c_str(), X_OK) == 0) {
            return candidate.string();
        }
        rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
    }
    return {};
}

inline qemu_program probe_qemu() {
    const char* wanted = std::getenv("VMDSL_QEMU");
    qemu_program found;
    found.path = wanted != nullptr && *wanted != '\0' ? std::string(wanted) : find_in_path("qemu-system-x86_64");
    const std::string hint =
        "Install it (Debian: sudo apt-get install qemu-system-x86), or name another one in VMDSL_QEMU.";
    if (found.path.empty()) {
        throw could_not_run("there is no qemu-system-x86_64 in PATH", hint);
    }
    if (::access(found.path.c_str(), X_OK) != 0) {
        throw could_not_run("VMDSL_QEMU names " + found.path + ", which is no program", hint);
    }
    const auto answer = run_program(found.path, {"--version"}, deadline::in(std::chrono::seconds(30)));
    found.version = answer.output_tail.substr(0, answer.output_tail.find('\n'));
    unsigned major = 0;
    unsigned minor = 0;
    const auto number = found.version.find("version ");
    if (answer.code != 0 || answer.signal != 0 || number == std::string::npos ||
        std::sscanf(found.version.c_str() + number, "version %u.%u", &major, &minor) != 2) {
        throw could_not_run(
            found.path + " --version " + answer.describe() + " and did not answer as QEMU does: " + found.version,
            hint);
    }
    if (major * 100 + minor < 702) {
        throw could_not_run(found.path + " is too old: \"" + found.version + "\", and vmdsl needs 7.2 or newer",
                            "Install a newer one (Debian 12 has 7.2), or name one in VMDSL_QEMU.");
    }
    return found;
}

inline std::string read_first_line(const std::filesystem::path& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

/// Why nobody needs to try a guest, empty where /dev/kvm opens.
inline std::string why_kvm_is_closed() {
    if (::access("/dev/kvm", F_OK) != 0) {
        return "there is no /dev/kvm";
    }
    if (::access("/dev/kvm", R_OK | W_OK) != 0) {
        return "/dev/kvm may not be opened by this user (try: sudo usermod --append --groups kvm $USER)";
    }
    return {};
}

/// Why KVM can't be used, empty where a guest really ran.
inline std::string try_kvm(const qemu_program& qemu, const std::string& kernel) {
    if (auto closed = why_kvm_is_closed(); !closed.empty()) {
        return closed;
    }
    // The guest's console goes to standard output; panic=-1 and -no-reboot end it as soon as it finds no root.
    const auto result = run_program(qemu.path,
                                    {"-nodefaults", "-no-user-config", "-display", "none", "-machine", "q35", "-accel",
                                     "kvm", "-cpu", "host", "-m", "128M", "-no-reboot", "-serial", "stdio", "-kernel",
                                     kernel, "-append", "earlyprintk=ttyS0 console=ttyS0 panic=-1 reboot=t"},
                                    deadline::in(std::chrono::seconds(10)));
    if (result.output_tail.find("Linux version") != std::string::npos ||
        result.output_tail.find("Kernel panic") != std::string::npos) {
        return {};
    }
    if (result.signal != 0) {
        return "/dev/kvm opens, but a guest did not print a line within 10 s";
    }
    return "QEMU could not use /dev/kvm: " + result.output_tail.substr(0, result.output_tail.find('\n'));
}

/// Reads or makes the cached answer of the probe.
inline std::string cached_try_of_kvm(const qemu_program& qemu, const std::string& kernel) {
    std::error_code ec;
    const auto stamp = std::filesystem::last_write_time(qemu.path, ec).time_since_epoch().count();
    const std::string key = read_first_line("/proc/sys/kernel/random/boot_id") + " " + qemu.path + " " +
                            std::to_string(stamp) + " " + qemu.version + " uid " + std::to_string(::getuid());
    const auto file = cache_folder() / "accelerator";
    {
        std::ifstream in(file);
        std::string cached_key;
        std::string reason;
        if (std::getline(in, cached_key) && cached_key == key && std::getline(in, reason)) {
            return reason;
        }
    }
    const timed_phase phase("see whether KVM works");
    std::string reason = try_kvm(qemu, kernel);
    std::filesystem::create_directories(file.parent_path(), ec);
    const auto fresh = file.string() + "." + std::to_string(::getpid());
    std::ofstream(fresh) << key << '\n' << reason << '\n';
    std::filesystem::rename(fresh, file, ec);  // without a cache the next run probes again
    return reason;
}

}  // namespace detail

VMDSL_DECL std::filesystem::path cache_folder() {
    if (const char* own = std::getenv("VMDSL_CACHE_DIR"); own != nullptr && *own != '\0') {
        return own;
    }
    if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg != '\0') {
        return std::filesystem::path(xdg) / "vmdsl";
    }
    const char* home = std::getenv("HOME");
    return std::filesystem::path(home != nullptr && *home != '\0' ? home : "/tmp") / ".cache" / "vmdsl";
}

VMDSL_DECL const qemu_program& find_qemu() {
    static const qemu_program found = detail::probe_qemu();
    return found;
}

VMDSL_DECL std::string choose_accelerator(const std::string& wanted, const std::string& kernel) {
    static std::mutex mutex;
    static std::string chosen;
    const std::lock_guard lock(mutex);
    if (!chosen.empty()) {
        return chosen;
    }
    if (wanted != "auto" && wanted != "kvm" && wanted != "tcg") {
        throw usage_error("the accelerator \"" + wanted + "\" is unknown", "Say kvm, tcg or auto.");
    }
    const std::string reason = wanted == "tcg"   ? "that was asked for"
                               : wanted == "kvm" ? detail::try_kvm(find_qemu(), kernel)
                                                 : detail::cached_try_of_kvm(find_qemu(), kernel);
    if (wanted == "kvm" && !reason.empty()) {
        throw could_not_run("KVM was asked for and does not work here: " + reason,
                            "Leave VMDSL_ACCEL at auto to fall back to emulation.");
    }
    chosen = reason.empty() ? "kvm" : "tcg";
    emit(event_kind::fact, {},
         {{"name", std::string("acceleration")},
          {"value", chosen},
          {"text", reason.empty() ? std::string("acceleration: KVM")
                                  : "acceleration: none (TCG emulation, about 10 times slower), because " + reason}});
    return chosen;
}

VMDSL_DECL std::string why_no_kvm(const std::string& kernel) {
    return kernel.empty() ? detail::why_kvm_is_closed() : detail::cached_try_of_kvm(find_qemu(), kernel);
}

}  // namespace vmdsl
