// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <agent/cgroup.hpp>
#include <agent/pid_set.hpp>
#include <agent/small_file.hpp>

namespace vmdsl::agent {

namespace {

/// The second one is where systemd's hybrid layout has version 2.
constexpr const char* mount_points[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

/// A process can fork while its cgroup is being read, so a kill without cgroup.kill is repeated until nothing is left.
constexpr int most_rounds = 100;

text make_base(std::string_view name) {
    for (const char* mount_point : mount_points) {
        struct statfs status {};
        if (::statfs(mount_point, &status) != 0 || status.f_type != CGROUP2_SUPER_MAGIC) {
            continue;
        }
        text base = join({mount_point, "/", name});
        if (::mkdir(base.c_str(), 0755) == 0 || errno == EEXIST) {
            return base;
        }
    }
    return {};
}

}  // namespace

void command_cgroup::signal(int number) const {
    if (!*this) {
        return;
    }
    if (number == SIGKILL && write_kernel_file(join({path_, "/cgroup.kill"}).c_str(), "1") == 0) {
        return;
    }
    pid_set signalled;
    for (int round = 0; round < most_rounds && signal_once(number, signalled) && number == SIGKILL; ++round) {
    }
}

/// Whether there was one that had not got it before.
bool command_cgroup::signal_once(int number, pid_set& signalled) const {
    const text processes = read_small_file(join({path_, "/cgroup.procs"}).c_str());
    std::string_view rest = processes;
    bool anyone = false;
    for (auto word = take_word(rest); !word.empty(); word = take_word(rest)) {
        pid_t pid = 0;
        if (parse_number(word, pid) && pid > 0 && signalled.insert(pid)) {
            ::kill(pid, number);
            anyone = true;
        }
    }
    return anyone;
}

struct cgroup_tree::retired {
    text path;
    retired* next;
};

cgroup_tree::cgroup_tree(std::string_view name) : base_(name.empty() ? text{} : make_base(name)) {
}

cgroup_tree::~cgroup_tree() {
    sweep();
    while (retired_ != nullptr) {
        retired* gone = retired_;
        retired_ = gone->next;
        delete gone;
    }
    if (available()) {
        ::rmdir(base_.c_str());
    }
}

command_cgroup cgroup_tree::make(std::uint32_t stream) {
    if (!available()) {
        return {};
    }
    text path = join({base_, "/", digits{stream}});
    if (::mkdir(path.c_str(), 0755) != 0) {
        // A stream of this number has left processes behind.
        path = join({base_, "/", digits{stream}, ".", digits{++serial_}});
        if (::mkdir(path.c_str(), 0755) != 0) {
            return {};
        }
    }
    unique_fd folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return {static_cast<text&&>(path), static_cast<unique_fd&&>(folder)};
}

void cgroup_tree::retire(command_cgroup cgroup) {
    if (cgroup && ::rmdir(text{cgroup.path()}.c_str()) != 0) {
        retired_ = new retired{text{cgroup.path()}, retired_};
    }
}

void cgroup_tree::sweep() {
    for (retired** link = &retired_; *link != nullptr;) {
        retired* each = *link;
        if (::rmdir(each->path.c_str()) != 0 && errno == EBUSY) {
            link = &each->next;
            continue;
        }
        *link = each->next;
        delete each;
    }
}

}  // namespace vmdsl::agent
