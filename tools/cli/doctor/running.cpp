// SPDX-License-Identifier: BSL-1.0
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>

#include <sched.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/child.hpp>
#include <vmdsl/qemu/program.hpp>

#include "doctor/finding.hpp"

namespace vmdsl::cli {

namespace {

/// A Debian machine and the rest of a small test.
constexpr std::uint64_t little_memory = 1ULL << 30;
constexpr std::uint64_t little_space = 1ULL << 30;

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes >> 20) + " MiB";
}

finding look_at_qemu() {
    try {
        const auto& found = find_qemu();
        return {"qemu", health::good, found.version + ", " + found.path, ""};
    } catch (const could_not_run& problem) {
        const auto& reason = problem.details().what_failed;
        const bool too_old = reason.find(" is too old") != std::string::npos;
        return {"qemu", health::missing, reason,
                too_old ? "a newer one, built by hand where this distribution has none; VMDSL_QEMU can name it"
                        : install_command("qemu-system-x86 seabios")};
    }
}

/// A kernel that the image tool has fetched, or the host's own; empty where there is none to try KVM with.
std::string some_kernel(const std::filesystem::path& cache) {
    std::error_code ec;
    for (std::filesystem::directory_iterator entry(cache / "kernel", ec), end; !ec && entry != end;
         entry.increment(ec)) {
        if (const auto kernel = entry->path() / "vmlinux"; std::filesystem::is_regular_file(kernel, ec)) {
            return kernel;
        }
    }
    for (std::filesystem::directory_iterator entry("/boot", ec), end; !ec && entry != end; entry.increment(ec)) {
        const auto kernel = entry->path();
        if (kernel.filename().string().starts_with("vmlinuz-") && ::access(kernel.c_str(), R_OK) == 0) {
            return kernel;
        }
    }
    return {};
}

bool processor_can_virtualise() {
    const auto text = read_text("/proc/cpuinfo");
    return text.find(" vmx ") != std::string::npos || text.find(" svm ") != std::string::npos;
}

std::string kvm_remedy(std::string_view reason) {
    if (reason.starts_with("there is no")) {
        return processor_can_virtualise()
                   ? "sudo modprobe -a kvm_intel kvm_amd (in a container: start it with --device /dev/kvm)"
                   : "switch virtualisation on in the firmware, or nested virtualisation where this is a virtual "
                     "machine";
    }
    if (reason.find("may not be opened") != std::string_view::npos) {
        return "sudo usermod --append --groups kvm $USER, and log in again";
    }
    return "nothing that can be done from in here: this machine's own host offers KVM and does not run it "
           "(VMDSL_ACCEL=tcg saves the search)";
}

finding look_at_kvm(bool has_qemu) {
    const auto kernel = has_qemu ? some_kernel(vmdsl::cache_folder()) : std::string();
    const auto reason = why_no_kvm(kernel);
    if (!reason.empty()) {
        return {"kvm", health::costly, reason + ". Machines run emulated, about ten times slower", kvm_remedy(reason)};
    }
    if (kernel.empty()) {
        return {"kvm", health::good,
                std::string("/dev/kvm opens; whether a guest runs on it can't be tried yet: there is no ") +
                    (has_qemu ? "kernel here, as no image was built" : "QEMU"),
                ""};
    }
    return {"kvm", health::good, "a guest runs on it", ""};
}

std::uint64_t number_in(std::string_view text) {
    std::uint64_t value = 0;
    const auto first = text.find_first_of("0123456789");
    if (first != std::string_view::npos) {
        std::from_chars(text.data() + first, text.data() + text.size(), value);
    }
    return value;
}

std::uint64_t memory_line(std::string_view name) {
    const auto text = read_text("/proc/meminfo");
    const auto line = text.find(name);
    return line == std::string::npos ? 0 : number_in(std::string_view(text).substr(line)) << 10;
}

/// What the control groups above us leave: a container's limit does not show in /proc/meminfo.
std::uint64_t left_in_cgroups() {
    auto left = std::numeric_limits<std::uint64_t>::max();
    const auto own = read_text("/proc/self/cgroup");
    const auto group = own.rfind("::/");
    if (group == std::string::npos) {
        return left;
    }
    std::filesystem::path path = own.substr(group + 2, own.find('\n', group) - group - 2);
    for (;; path = path.parent_path()) {
        const auto folder = "/sys/fs/cgroup" + path.string();
        const auto limit = read_text(folder + "/memory.max");
        const auto used = number_in(read_text(folder + "/memory.current"));
        if (!limit.empty() && !limit.starts_with("max")) {
            left = std::min(left, number_in(limit) - std::min(number_in(limit), used));
        }
        if (path == "/" || path.empty()) {
            return left;
        }
    }
}

finding look_at_memory() {
    const auto available = std::min(memory_line("MemAvailable:"), left_in_cgroups());
    const auto text = mebibytes(available) + " of " + mebibytes(memory_line("MemTotal:")) +
                      " are free for machines (256 MiB each unless a spec says otherwise)";
    if (available < little_memory) {
        return {"memory", health::missing, text + ": too little", "end other programs, or use a larger host"};
    }
    return {"memory", health::good, text, ""};
}

finding look_at_shared_memory() {
    struct statvfs found {};
    if (::statvfs("/dev/shm", &found) != 0) {
        return {"shm", health::good, "there is no /dev/shm, and no need of it: machines' memory is in memfds", ""};
    }
    return {"shm", health::good,
            "/dev/shm has " + mebibytes(found.f_blocks * std::uint64_t{found.f_frsize}) +
                "; any size will do: machines' memory is in memfds, not there",
            ""};
}

finding look_at_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    const int count = ::sched_getaffinity(0, sizeof set, &set) == 0
                          ? CPU_COUNT(&set)
                          : static_cast<int>(std::thread::hardware_concurrency());
    if (count < 2) {
        return {"processors", health::costly, "one processor: a network of several machines boots one after the other",
                "use a host with two or more"};
    }
    return {"processors", health::good, std::to_string(count) + " processors", ""};
}

finding look_at_folder(const std::string& id, std::filesystem::path folder, const std::string& purpose,
                       const std::string& variable) {
    const auto wanted = folder;
    while (::access(folder.c_str(), F_OK) != 0 && folder.has_relative_path()) {
        folder = folder.parent_path();  // it will be made
    }
    struct statvfs found {};
    const auto remedy = "set " + variable + " to a folder of yours on a disk with room";
    if (::access(folder.c_str(), W_OK | X_OK) != 0 || ::statvfs(folder.c_str(), &found) != 0) {
        return {id, health::missing, purpose + " go to " + wanted.string() + ", where this user may not write", remedy};
    }
    const auto free = found.f_bavail * std::uint64_t{found.f_frsize};
    const auto text = purpose + " go to " + wanted.string() + ", which has room for " + mebibytes(free);
    return {id, free < little_space ? health::missing : health::good, text, free < little_space ? remedy : ""};
}

finding look_at_genhtml() {
    const auto answer = run_program("/usr/bin/env", {"genhtml", "--version"}, deadline::in(std::chrono::seconds(60)));
    if (answer.code != 0 || answer.signal != 0) {
        return {"genhtml", health::costly, "no genhtml: coverage is reported without pages to look at",
                install_command("lcov")};
    }
    return {"genhtml", health::good, "genhtml makes the pages of coverage reports", ""};
}

}  // namespace

findings look_at_running() {
    findings found{look_at_qemu()};
    found.push_back(look_at_kvm(found.front().state == health::good));
    found.push_back(look_at_memory());
    found.push_back(look_at_shared_memory());
    found.push_back(look_at_processors());
    found.push_back(look_at_folder("scratch", vmdsl::detail::scratch_base(), "temporary files",
                                   vmdsl::detail::scratch_base_variable));
    found.push_back(look_at_genhtml());
    found.push_back(look_at_folder("cache", vmdsl::cache_folder(), "images", "VMDSL_CACHE_DIR"));
    return found;
}

}  // namespace vmdsl::cli
