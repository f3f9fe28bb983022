// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <new>

#include <stdlib.h>
#include <unistd.h>

#include <agent/console.hpp>
#include <agent/text.hpp>

// The operators of libstdc++ throw, and would bring the whole machinery of exceptions into the binary.

void* operator new(std::size_t size) {
    void* memory = malloc(size);
    if (memory == nullptr) {
        vmdsl::agent::out_of_memory();
    }
    return memory;
}
void operator delete(void* memory) noexcept {
    free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    free(memory);
}

/// A call that the language rules out; libstdc++'s own one brings iostreams' worth of code.
extern "C" void __cxa_pure_virtual() {
    abort();
}

namespace vmdsl::agent {

void out_of_memory() noexcept {
    say({"the agent is out of memory"});
    _exit(1);
}

}  // namespace vmdsl::agent
