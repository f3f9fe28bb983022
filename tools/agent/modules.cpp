// SPDX-License-Identifier: BSL-1.0
#include <string_view>

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <agent/console.hpp>
#include <agent/fd.hpp>
#include <agent/modules.hpp>
#include <agent/small_file.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

namespace {

int load_module(const char* path, const char* parameters) {
    const unique_fd file{::open(path, O_RDONLY | O_CLOEXEC)};
    if (!file) {
        return errno;
    }
    if (::syscall(SYS_finit_module, file.get(), parameters, 0) != 0 && errno != EEXIST) {
        return errno;
    }
    return 0;
}

}  // namespace

void load_modules(const char* list) {
    const text content = read_small_file(list);
    std::string_view lines = content;
    for (auto line = take_word(lines, "\n"); !line.empty(); line = take_word(lines, "\n")) {
        const auto name = take_word(line);
        if (name.empty() || name.front() == '#') {
            continue;
        }
        const text path = join({name.front() == '/' ? "" : "/modules/", name});
        while (!line.empty() && line.front() == ' ') {
            line.remove_prefix(1);
        }
        const text parameters{line};
        if (const int error = load_module(path.c_str(), parameters.c_str()); error != 0) {
            say({"kernel module ", path, ": ", error_text(error)});
        }
    }
}

}  // namespace vmdsl::agent
