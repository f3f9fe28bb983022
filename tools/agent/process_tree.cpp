// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstdlib>
#include <utility>

#include <dirent.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <agent/pid_set.hpp>
#include <agent/process_tree.hpp>
#include <agent/small_file.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

namespace {

/// Each round meets only processes that were forked or executed a program during the one before; so many rounds are a
/// fork bomb.
constexpr int most_rounds = 100;

struct process {
    pid_t pid = 0;
    pid_t parent = 0;
    pid_t group = 0;
    pid_t session = 0;
    bool dead = false;
    bool member = false;
    bool has_no_environment = false;  ///< It was started without one.
    bool undecided = false;           ///< It is just executing a program: its environment can't be read.
};

/// All processes of the system.
class process_list {
public:
    process_list() = default;
    process_list(const process_list&) = delete;
    process_list& operator=(const process_list&) = delete;
    ~process_list() { std::free(items_); }

    void add(const process& item) {
        if (size_ == capacity_) {
            capacity_ = capacity_ == 0 ? 256 : 2 * capacity_;
            items_ = static_cast<process*>(std::realloc(items_, capacity_ * sizeof(process)));
            if (items_ == nullptr) {
                out_of_memory();
            }
        }
        items_[size_++] = item;
    }
    [[nodiscard]] process* begin() noexcept { return items_; }
    [[nodiscard]] process* end() noexcept { return items_ + size_; }

private:
    process* items_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

/// The line in /proc/PID/stat: pid (name) state ppid pgrp session ... startcode ... env_end exit_code (proc(5)). The
/// name may hold anything, so search its end.
bool parse_stat(std::string_view line, process& to) {
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string_view::npos) {
        return false;
    }
    line.remove_prefix(name_end + 1);
    const auto state = take_word(line);
    to.dead = state == "Z" || state == "X";
    if (!parse_number(take_word(line), to.parent) || !parse_number(take_word(line), to.group) ||
        !parse_number(take_word(line), to.session)) {
        return false;
    }
    constexpr int session_field = 6;
    constexpr int start_code_field = 26;
    constexpr int env_end_field = 51;
    std::string_view start_code;
    std::string_view env_start;
    std::string_view env_end;
    for (int field = session_field + 1; field <= env_end_field; ++field) {
        env_start = std::exchange(env_end, take_word(line));
        if (field == start_code_field) {
            start_code = env_end;
        }
    }
    // While a program is being executed the environment is empty for a moment; the code's place is known after that
    // (fs/binfmt_elf.c).
    to.has_no_environment = env_start == env_end && env_end != "0" && start_code != "0";
    return true;
}

bool has_mark(std::string_view environment, std::string_view mark) {
    const text wanted = join({tree_mark, "=", mark});
    const std::string_view zero{"\0", 1};
    for (auto entry = take_word(environment, zero); !entry.empty(); entry = take_word(environment, zero)) {
        if (entry == wanted.view()) {
            return true;
        }
    }
    return false;
}

void list_processes(process_list& list, pid_t command, std::string_view mark) {
    DIR* folder = ::opendir("/proc");
    if (folder == nullptr) {
        return;
    }
    while (const dirent* entry = ::readdir(folder)) {
        process item;
        if (!parse_number(std::string_view{entry->d_name}, item.pid) ||
            !parse_stat(read_small_file(join({"/proc/", entry->d_name, "/stat"}).c_str()), item)) {
            continue;
        }
        item.member = item.pid == command || item.group == command || item.session == command;
        if (!item.member && !item.dead) {
            const text environment = read_small_file(join({"/proc/", entry->d_name, "/environ"}).c_str());
            item.member = has_mark(environment, mark);
            // An orphan of a command. Others are found by their parents.
            item.undecided = environment.size() == 0 && !item.has_no_environment && item.parent == ::getpid();
        }
        list.add(item);
    }
    ::closedir(folder);
}

/// Makes everything a member whose parent is one.
void add_descendants(process_list& list) {
    for (bool changed = true; changed;) {
        changed = false;
        for (auto& child : list) {
            if (child.member) {
                continue;
            }
            for (const auto& parent : list) {
                if (parent.member && parent.pid == child.parent) {
                    child.member = true;
                    changed = true;
                    break;
                }
            }
        }
    }
}

struct round_result {
    bool anyone = false;     ///< There was one that had not got the signal before.
    bool undecided = false;  ///< An orphan is just executing a program, so that its mark can't be seen.
};

round_result signal_once(pid_t command, std::string_view mark, int number, pid_set& signalled) {
    process_list list;
    list_processes(list, command, mark);
    add_descendants(list);
    round_result result;
    for (const auto& item : list) {
        if (item.dead || item.pid == ::getpid()) {
            continue;
        }
        if (!item.member) {
            result.undecided |= item.undecided;
        } else if (signalled.insert(item.pid)) {
            ::kill(item.pid, number);
            result.anyone = true;
        }
    }
    return result;
}

/// Lets a process get on that is executing a program: on a busy machine it may not run for a while. All rounds together
/// wait about 2 s.
void wait_for_execution(int round) {
    constexpr long millisecond = 1'000'000;
    const timespec pause{0, (round < 20 ? round + 1L : 20L) * millisecond};
    ::nanosleep(&pause, nullptr);
}

}  // namespace

void signal_process_tree(pid_t command, std::string_view mark, int number) {
    pid_set signalled;
    for (int round = 0; round < most_rounds; ++round) {
        const auto found = signal_once(command, mark, number, signalled);
        if (!found.undecided && !(found.anyone && number == SIGKILL)) {
            return;
        }
        if (found.undecided && !found.anyone) {
            wait_for_execution(round);
        }
    }
}

}  // namespace vmdsl::agent
