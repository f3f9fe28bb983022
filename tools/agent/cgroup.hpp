// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>
#include <string_view>

#include <agent/fd.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

class pid_set;

/// The cgroup of one command. Empty where there is none.
class command_cgroup {
public:
    command_cgroup() = default;
    command_cgroup(text path, unique_fd folder) noexcept
        : path_(static_cast<text&&>(path)), folder_(static_cast<unique_fd&&>(folder)) {}

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(folder_); }
    [[nodiscard]] int fd() const noexcept { return folder_.get(); }
    [[nodiscard]] std::string_view path() const noexcept { return path_; }

    /// Sends the signal to every process in it; SIGKILL also reaches those that are being forked meanwhile.
    void signal(int number) const;

private:
    [[nodiscard]] bool signal_once(int number, pid_set& signalled) const;

    text path_;
    unique_fd folder_;
};

/// The folder below which each command gets its cgroup.
class cgroup_tree {
public:
    /// An empty name: never any cgroups.
    explicit cgroup_tree(std::string_view name);
    ~cgroup_tree();

    [[nodiscard]] bool available() const noexcept { return !base_.empty(); }
    [[nodiscard]] command_cgroup make(std::uint32_t stream);
    /// Removes a command's cgroup, later where processes still live in it.
    void retire(command_cgroup cgroup);
    /// Removes the retired ones that have become empty. Call it when a process has ended.
    void sweep();

private:
    struct retired;

    text base_;
    retired* retired_ = nullptr;
    std::uint32_t serial_ = 0;
};

}  // namespace vmdsl::agent
