// SPDX-License-Identifier: BSL-1.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <agent/console.hpp>
#include <agent/fd.hpp>
#include <agent/root.hpp>
#include <agent/small_file.hpp>

namespace vmdsl::agent {

namespace {

/// Makes the mount point and mounts. 0, or errno.
int mount_at(const char* source, const char* target, const char* type, unsigned long flags, const char* data) {
    ::mkdir(target, 0755);
    return ::mount(source, target, type, flags, data) == 0 ? 0 : errno;
}

void must_mount(const char* source, const char* target, const char* type, unsigned long flags, const char* data) {
    if (const int error = mount_at(source, target, type, flags, data); error != 0) {
        fail({"cannot mount ", source, " (", type, ") on ", target, ": ", error_text(error)});
    }
}

void must_move(const char* from, const char* to) {
    ::mkdir(to, 0755);
    if (::mount(from, to, nullptr, MS_MOVE, nullptr) != 0) {
        fail({"cannot move ", from, " to ", to, ": ", error_text(errno)});
    }
}

void mount_writable_layer(bool volatile_root) {
    const text scratch = volatile_root ? text{} : find_disk("scratch");
    if (scratch.empty()) {
        must_mount("scratch", "/scratch", "tmpfs", 0, "mode=0755");
    } else {
        must_mount(scratch.c_str(), "/scratch", "ext4", MS_NOATIME, "noinit_itable");
    }
    ::mkdir("/scratch/upper", 0755);
    ::mkdir("/scratch/work", 0755);
}

/// Deletes a folder's content, but nothing of another file system.
void delete_content(int folder, dev_t device) {
    DIR* listing = ::fdopendir(folder);
    if (listing == nullptr) {
        ::close(folder);
        return;
    }
    while (const dirent* entry = ::readdir(listing)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        const int here = ::dirfd(listing);
        if (entry->d_type != DT_DIR) {
            ::unlinkat(here, entry->d_name, 0);
            continue;
        }
        struct stat status {};
        const int below = ::openat(here, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0) {
            continue;
        }
        if (::fstat(below, &status) != 0 || status.st_dev != device) {
            ::close(below);
            continue;
        }
        delete_content(below, device);
        ::unlinkat(here, entry->d_name, AT_REMOVEDIR);
    }
    ::closedir(listing);
}

void free_initial_ram_disk(int old_root) {
    struct stat status {};
    if (::fstat(old_root, &status) == 0) {
        delete_content(::dup(old_root), status.st_dev);
    }
}

}  // namespace

text find_disk(std::string_view serial) {
    text found;
    DIR* disks = ::opendir("/sys/block");
    if (disks == nullptr) {
        return found;
    }
    while (const dirent* entry = ::readdir(disks)) {
        const std::string_view name = entry->d_name;
        if (!name.starts_with("vd")) {
            continue;
        }
        if (read_small_file(join({"/sys/block/", name, "/serial"}).c_str()).view() == serial) {
            found = join({"/dev/", name});
            break;
        }
    }
    ::closedir(disks);
    return found;
}

void mount_kernel_file_systems() {
    must_mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
    must_mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    must_mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    must_mount("run", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
    must_mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=5,ptmxmode=0666");
}

void mount_cgroups() {
    constexpr unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (mount_at("cgroup2", "/sys/fs/cgroup", "cgroup2", flags, "nsdelegate,memory_recursiveprot") != 0) {
        mount_at("cgroup2", "/sys/fs/cgroup", "cgroup2", flags, nullptr);
    }
}

void switch_to_root(const char* root_disk, bool volatile_root) {
    must_mount(root_disk, "/root-ro", "erofs", MS_RDONLY, nullptr);
    mount_writable_layer(volatile_root);
    must_mount("overlay", "/new-root", "overlay", MS_NOATIME,
               "lowerdir=/root-ro,upperdir=/scratch/upper,workdir=/scratch/work");
    must_move("/dev", "/new-root/dev");
    must_move("/proc", "/new-root/proc");
    must_move("/sys", "/new-root/sys");
    must_move("/run", "/new-root/run");
    const unique_fd old_root{::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (::chdir("/new-root") != 0) {
        fail({"cannot enter the new root: ", error_text(errno)});
    }
    free_initial_ram_disk(old_root.get());
    if (::mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || ::chroot(".") != 0 || ::chdir("/") != 0) {
        fail({"cannot switch to the new root: ", error_text(errno)});
    }
}

}  // namespace vmdsl::agent
