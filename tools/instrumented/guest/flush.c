// SPDX-License-Identifier: BSL-1.0
// libvmdsl-coverage.so: a thread in every instrumented process that writes the counters out and sets them to zero when
// it is asked to, through an abstract socket "vmdsl-coverage/PID".
//
// A thread and not a signal handler: programs block signals and don't expect interrupted calls, and writing counters
// takes locks and memory. It has a root directory of its own, so that a process that has changed its root still finds
// the files.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "registry.h"

enum { most_parts = 256 };

struct part {
    vmdsl_coverage_function* dump;
    vmdsl_coverage_function* reset;
};

static struct part parts[most_parts];
static int part_count;
static int too_many_parts;
static pthread_mutex_t parts_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int listener = -1;
static struct sockaddr_un listener_address;
static socklen_t listener_address_length;

static void flush(void) {
    pthread_mutex_lock(&parts_mutex);
    for (int i = 0; i < part_count; ++i) {
        parts[i].dump();
    }
    for (int i = 0; i < part_count; ++i) {
        parts[i].reset();
    }
    pthread_mutex_unlock(&parts_mutex);
}

static void open_listener(void) {
    struct sockaddr_un* const address = &listener_address;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    const int length = snprintf(address->sun_path + 1, sizeof address->sun_path - 1, "vmdsl-coverage/%d", getpid());
    listener_address_length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    const int low = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int high = fcntl(low, F_DUPFD_CLOEXEC, 200);  // out of the way of programs that count on low numbers
    if (high >= 0) {
        close(low);
    }
    listener = high >= 0 ? high : low;
    if (bind(listener, (struct sockaddr*)address, listener_address_length) != 0 || listen(listener, 8) != 0) {
        close(listener);
        listener = -1;
    }
}

// Programs that become daemons close all descriptors, and the number may be another file's by now.
static int listener_is_ours(void) {
    struct sockaddr_un found;
    socklen_t length = sizeof found;
    return getsockname(listener, (struct sockaddr*)&found, &length) == 0 && length == listener_address_length &&
           memcmp(&found, &listener_address, length) == 0;
}

static void* answer_requests(void* unused) {
    const struct timespec a_moment = {.tv_nsec = 10000000};
    unshare(CLONE_FS);
    for (;;) {
        if (!listener_is_ours()) {
            open_listener();
        }
        const int request = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (request < 0) {
            if (listener < 0) {
                return unused;  // nobody can ask this process; the collector says so
            }
            nanosleep(&a_moment, NULL);  // until the program has closed some descriptors
            continue;
        }
        flush();
        send(request, too_many_parts ? "some" : "done", 4, MSG_NOSIGNAL);
        close(request);
    }
}

static void start_thread(void) {
    sigset_t all;
    sigset_t before;
    pthread_t thread;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, answer_requests, NULL) == 0) {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void before_fork(void) {
    pthread_mutex_lock(&parts_mutex);
}

static void in_parent(void) {
    pthread_mutex_unlock(&parts_mutex);
}

// What the parent had counted is the parent's. gcc's own fork forgets the libraries that were loaded at run time.
static void in_child(void) {
    for (int i = 0; i < part_count; ++i) {
        parts[i].reset();
    }
    pthread_mutex_unlock(&parts_mutex);
    if (listener_is_ours()) {
        close(listener);  // the parent's
    }
    open_listener();
    start_thread();
}

static void start(void) {
    open_listener();
    pthread_atfork(before_fork, in_parent, in_child);
    setenv("GCOV_ERROR_FILE", "/coverage/errors", 0);  // what libgcc says to standard error, nobody would hear
    start_thread();
}

void vmdsl_coverage_add(vmdsl_coverage_function* dump, vmdsl_coverage_function* reset) {
    pthread_mutex_lock(&parts_mutex);
    if (part_count < most_parts) {
        parts[part_count++] = (struct part){dump, reset};
    } else {
        too_many_parts = 1;
    }
    pthread_mutex_unlock(&parts_mutex);
    pthread_once(&once, start);
}

void vmdsl_coverage_remove(vmdsl_coverage_function* dump) {
    pthread_mutex_lock(&parts_mutex);
    for (int i = 0; i < part_count; ++i) {
        if (parts[i].dump == dump) {
            parts[i] = parts[--part_count];
            break;
        }
    }
    pthread_mutex_unlock(&parts_mutex);
}
