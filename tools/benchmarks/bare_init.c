// SPDX-License-Identifier: BSL-1.0
// The least that a kernel can start: says so on the console and waits. What vmdsl's own boot is compared with.
#include <unistd.h>

int main(void) {
    static const char words[] = "bare init is running\n";
    if (write(1, words, sizeof words - 1) < 0) {
        return 1;
    }
    for (;;) {
        pause();
    }
}
