// SPDX-License-Identifier: BSL-1.0
#include <cstddef>
#include <cstring>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <agent/console.hpp>
#include <agent/fd.hpp>

namespace vmdsl::agent {

namespace {

constexpr std::size_t longest_line = 512;

/// Puts the line together on the stack, since memory may be what is missing.
std::size_t build_line(char (&line)[longest_line], std::initializer_list<std::string_view> parts) noexcept {
    std::size_t size = 0;
    const auto add = [&](std::string_view part) {
        const std::size_t room = longest_line - 1 - size;
        const std::size_t taken = part.size() < room ? part.size() : room;
        std::memcpy(line + size, part.data(), taken);
        size += taken;
    };
    add("vmdsl: ");
    for (const auto part : parts) {
        add(part);
    }
    line[size++] = '\n';
    return size;
}

bool console_in_use = false;

}  // namespace

void use_console() noexcept {
    console_in_use = true;
}

void say(std::initializer_list<std::string_view> parts) noexcept {
    char line[longest_line];
    const std::size_t size = build_line(line, parts);
    // Opened anew each time: an init system may have hung the console up since.
    const unique_fd console{console_in_use ? ::open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC) : -1};
    const ssize_t written = ::write(console ? console.get() : STDERR_FILENO, line, size);
    static_cast<void>(written);
}

void fail(std::initializer_list<std::string_view> parts) noexcept {
    say(parts);
    const unique_fd console{::open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC)};
    if (console) {
        ::tcdrain(console.get());
    }
    _exit(1);
}

}  // namespace vmdsl::agent
