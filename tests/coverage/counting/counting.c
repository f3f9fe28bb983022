// SPDX-License-Identifier: BSL-1.0
// counting: ends at once. counting serve ORDERS DONE: becomes another user and runs for ever; each byte that it reads
// is an order, for which it also starts a child, and is answered by a byte. Its functions are named by who runs them.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void in_child(void) {
}

static void in_server(void) {
}

static void in_command(void) {
}

static int serve(const char* orders, const char* done) {
    char order;
    sigset_t all;
    const int in = open(orders, O_RDWR);
    const int out = open(done, O_RDWR);
    sigfillset(&all);
    sigdelset(&all, SIGTERM);
    sigprocmask(SIG_SETMASK, &all, NULL);
    if (in < 0 || out < 0 || setgid(65534) != 0 || setuid(65534) != 0) {
        return 1;
    }
    while (read(in, &order, 1) == 1) {
        in_server();
        const pid_t program = vfork();
        if (program == 0) {
            execl("/bin/true", "true", NULL);
            _exit(127);
        }
        waitpid(program, NULL, 0);
        const pid_t child = fork();
        if (child == 0) {
            in_child();
            return 0;
        }
        waitpid(child, NULL, 0);
        if (write(out, &order, 1) != 1) {
            return 1;
        }
    }
    return 1;
}

int main(int count, char** words) {
    if (count == 4 && strcmp(words[1], "serve") == 0) {
        return serve(words[2], words[3]);
    }
    in_command();
    return 0;
}
