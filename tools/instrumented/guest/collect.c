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
// FOLDER/instrumented lists the programs and libraries of a build, one path a line.
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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
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

// NULL where it has, else why not. The process may be slow, but not stuck for ever.
static const char* ask_for_flush(int pid) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int length = snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "vmdsl-coverage/%d", pid);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = 20};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    char answer[4];
    const char* problem = NULL;
    if (connect(fd, (struct sockaddr*)&address,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)) != 0) {
        problem = "does-not-listen";
    } else if (recv(fd, answer, sizeof answer, MSG_WAITALL) != sizeof answer) {
        problem = "does-not-answer";
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
    DIR* processes = opendir("/proc");
    const struct dirent* entry;
    while ((entry = readdir(processes)) != NULL) {
        const int pid = atoi(entry->d_name);
        if (pid <= 0 || !runs_instrumented_code(pid, instrumented)) {
            continue;
        }
        const char* problem = ask_for_flush(pid);
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
    if (pread(fd, content, (size_t)now.st_size, 0) == now.st_size && now.st_size > 0) {
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
        nftw(folders[i], ship, 32, FTW_PHYS);
    }
    printf("end %lu\n", file_count);
    return fflush(stdout) != 0 || failed;
}
