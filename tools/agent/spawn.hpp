// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <sys/types.h>

#include <agent/cgroup.hpp>
#include <agent/fd.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

/// A growing list of C strings, as execve takes them.
class string_list {
public:
    string_list() = default;
    string_list(const string_list&) = delete;
    string_list& operator=(const string_list&) = delete;
    ~string_list();

    void add(std::string_view item);
    /// Replaces the item that begins with the same "NAME=", or adds it.
    void set_variable(std::string_view item);
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    /// Ends in a null pointer.
    [[nodiscard]] char** data();

private:
    char** items_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// What a command finds in its environment unless it is told otherwise. Ends in a null pointer.
[[nodiscard]] char** default_environment() noexcept;

/// Signal mask and dispositions as every program expects them. For a forked child.
void restore_signals() noexcept;

/// What to start, and with which ends of the pipes.
struct spawn_request {
    string_list arguments;
    string_list environment;
    text directory;
    bool default_directory = true;  ///< / will do where `directory` can't be entered.
    int input = -1;                 ///< -1: /dev/null.
    int output = -1;
    int errors = -1;
    bool terminal = false;  ///< `output` is one, for all three streams, and is to be the controlling terminal.
    int failure = -1;       ///< A CLOEXEC pipe: the child writes errno and the step (two int) where it can't start.
    const command_cgroup* cgroup = nullptr;
};

/// The step in which a child failed.
enum class spawn_step : int { enter_directory = 1, execute = 2 };

/// The child's process id; -1 and errno where there is none.
[[nodiscard]] pid_t spawn(spawn_request& request);

/// For ourselves only: children are killed first.
void protect_from_out_of_memory_killer() noexcept;

/// Raises our own limit of open files, remembering the one that children get.
void raise_open_files_limit() noexcept;

}  // namespace vmdsl::agent
