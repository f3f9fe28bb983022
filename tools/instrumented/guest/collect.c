// SPDX-License-Identifier: BSL-1.0
// vmdsl-coverage-collect FOLDER...: asks every instrumented process of this machine for its counters, then writes all
// counter files below the folders to standard output and empties them. What it prints:
//
//   vmdsl-coverage 1
//   flushed PID NAME                 a process that has written its counters
//   missed PID NAME REASON           one that runs instrumented code and has not
//   error TEXT                       what libgcc said when it could not write
//   file SIZE PATH                   followed by SIZE bytes
//   end FILES                        nothing is missing
//
// FOLDER/instrumented lists the programs and libraries of a build, one path a line. A FOLDER with a file `kernel` is
// the build of the kernel that runs, which counts in memory of its own and shows the counters in debugfs, below
// /sys/kernel/debug/gcov/FOLDER (Documentation/dev-tools/gcov.rst); they are told under the names that they have in
// FOLDER.
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static const char error_file[] = "/coverage/errors";
static unsigned long file_count;
static int failed;

static void print_name_of(int pid) {
    char path[64];
    char name[64] = "?";
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE* file = fopen(path, "re");
    if (file != NULL) {
        if (fgets(name, sizeof name, file) != NULL) {
            for (char* c = name; *c != '\0'; ++c) {
                *c = isgraph((unsigned char)*c) ? *c : (c[1] == '\0' ? '\0' : '_');
            }
        }
        fclose(file);
    }
    fputs(name, stdout);
}

// What all processes together get, in milliseconds: a process may be slow, but those that are stuck must not keep the
// counters of the others from being shipped.
enum { time_to_flush = 20000 };

static long milliseconds_since(const struct timespec* begin) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - begin->tv_sec) * 1000 + (now.tv_nsec - begin->tv_nsec) / 1000000;
}

// NULL where it has, else why not.
static const char* ask_for_flush(int pid, const struct timespec* begin) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "vmdsl-coverage/%d", pid);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const long left = time_to_flush - milliseconds_since(begin);
    const long wait = left > 100 ? left : 100;
    const struct timeval limit = {.tv_sec = wait / 1000, .tv_usec = wait % 1000 * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char answer[4];
    const char* problem = NULL;
    if (connect(fd, (struct sockaddr*)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) != 0) {
        problem = "does-not-listen";
    } else if (recv(fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer) {
        problem = "does-not-answer";
    } else if (memcmp(answer, "done", sizeof answer) != 0) {
        problem = "has-too-many-libraries";
    }
    close(fd);
    return problem;
}

struct list {
    char** items;
    size_t size;
};

static void add(struct list* to, const char* text) {
    to->items = realloc(to->items, (to->size + 1) * sizeof *to->items);
    to->items[to->size++] = strdup(text);
}

static int contains(const struct list* in, const char* text) {
    for (size_t i = 0; i < in->size; ++i) {
        if (strcmp(in->items[i], text) == 0) {
            return 1;
        }
    }
    return 0;
}

static void add_lines_of(struct list* to, const char* path) {
    FILE* file = fopen(path, "re");
    char* line = NULL;
    size_t room = 0;
    ssize_t length;
    if (file == NULL) {
        return;
    }
    while ((length = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        add(to, line);
    }
    free(line);
    fclose(file);
}

static int runs_instrumented_code(int pid, const struct list* instrumented) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE* maps = fopen(path, "re");
    char* line = NULL;
    size_t room = 0;
    int found = 0;
    if (maps == NULL) {
        return 0;
    }
    while (!found && getline(&line, &room, maps) > 0) {
        const char* name = strchr(line, '/');
        line[strcspn(line, "\n")] = '\0';
        found = name != NULL && contains(instrumented, name);
    }
    free(line);
    fclose(maps);
    return found;
}

static void flush_processes(const struct list* instrumented) {
    struct timespec begin;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    DIR* processes = opendir("/proc");
    const struct dirent* entry;
    while ((entry = readdir(processes)) != NULL) {
        const int pid = atoi(entry->d_name);
        if (pid <= 0 || !runs_instrumented_code(pid, instrumented)) {
            continue;
        }
        const char* problem = ask_for_flush(pid, &begin);
        if (problem != NULL && !runs_instrumented_code(pid, instrumented)) {
            continue;  // it has ended meanwhile, which writes the counters as well
        }
        printf(problem == NULL ? "flushed %d " : "missed %d ", pid);
        print_name_of(pid);
        printf(problem == NULL ? "\n" : " %s\n", problem);
    }
    closedir(processes);
}

// Under the lock that libgcc takes as well: whoever waits for it finds an empty file and begins anew.
static int ship(const char* path, const struct stat* status, int type, struct FTW* where) {
    (void)where;
    const size_t length = strlen(path);
    if (type != FTW_F || length < 5 || strcmp(path + length - 5, ".gcda") != 0 || status->st_size == 0) {
        return 0;
    }
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct stat now;
    if (fd < 0 || fcntl(fd, F_SETLKW, &lock) != 0 || fstat(fd, &now) != 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        failed = 1;
        close(fd);
        return 0;
    }
    char* content = malloc((size_t)now.st_size + 1);
    if (content == NULL || pread(fd, content, (size_t)now.st_size, 0) != now.st_size) {
        fprintf(stderr, "%s: cannot read it\n", path);
        failed = 1;
    } else if (now.st_size > 0) {
        printf("file %lld %s\n", (long long)now.st_size, path);
        fwrite(content, 1, (size_t)now.st_size, stdout);
        ++file_count;
        if (ftruncate(fd, 0) != 0) {
            failed = 1;
        }
    }
    free(content);
    close(fd);
    return 0;
}

static const char debugfs[] = "/sys/kernel/debug";
static const char kernel_root[] = "/sys/kernel/debug/gcov";

// The kernel copies an object's counters when the file is opened, and sets them to zero when it is written to. What it
// gives ends without the zero that ends libgcc's files.
static int ship_of_kernel(const char* path, const struct stat* status, int type, struct FTW* where) {
    (void)status;
    (void)where;
    const size_t length = strlen(path);
    if (type != FTW_F || length < 5 || strcmp(path + length - 5, ".gcda") != 0) {
        return 0;
    }
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    char* content = NULL;
    size_t room = 0;
    size_t size = 0;
    ssize_t got = fd < 0 ? -1 : write(fd, "0", 1);
    while (got > 0) {
        if (room - size < 65536) {
            room = 2 * room + 65536;
            content = realloc(content, room);
        }
        got = read(fd, content + size, room - size - 4);
        size += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        failed = 1;
    } else {
        memset(content + size, 0, 4);
        printf("file %zu %s\n", size + 4, path + strlen(kernel_root));
        fwrite(content, 1, size + 4, stdout);
        ++file_count;
    }
    free(content);
    close(fd);
    return 0;
}

static void ship_kernel(const char* folder) {
    char path[4096];
    snprintf(path, sizeof path, "%s/kernel", folder);
    if (access(path, F_OK) != 0) {
        return;
    }
    const int mounted = mount("debugfs", debugfs, "debugfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0;
    snprintf(path, sizeof path, "%s%s", kernel_root, folder);
    if (nftw(path, ship_of_kernel, 32, FTW_PHYS) != 0) {
        fprintf(stderr, "%s: %s; does another kernel run?\n", path, strerror(errno));
        failed = 1;
    }
    if (mounted) {
        umount2(debugfs, MNT_DETACH);
    }
}

static void tell_errors(void) {
    struct list errors = {NULL, 0};
    add_lines_of(&errors, error_file);
    for (size_t i = 0; i < errors.size; ++i) {
        printf("error %s\n", errors.items[i]);
    }
    if (errors.size > 0 && truncate(error_file, 0) != 0) {
        failed = 1;
    }
}

int main(int count, char** folders) {
    struct list instrumented = {NULL, 0};
    for (int i = 1; i < count; ++i) {
        char path[4096];
        snprintf(path, sizeof path, "%s/instrumented", folders[i]);
        add_lines_of(&instrumented, path);
    }
    puts("vmdsl-coverage 1");
    flush_processes(&instrumented);
    tell_errors();
    for (int i = 1; i < count; ++i) {
        if (nftw(folders[i], ship, 32, FTW_PHYS) != 0) {
            fprintf(stderr, "%s: %s\n", folders[i], strerror(errno));
            failed = 1;
        }
        ship_kernel(folders[i]);
    }
    printf("end %lu\n", file_count);
    return fflush(stdout) != 0 || failed;
}
