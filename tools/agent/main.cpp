// SPDX-License-Identifier: BSL-1.0
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

#include <agent/agent.hpp>
#include <agent/console.hpp>
#include <agent/init.hpp>

namespace {

using namespace vmdsl::agent;

constexpr int usage_status = 2;

int usage() {
    say(
        {"usage: vmdsl-agent [--fd NUMBER [--root FOLDER] [--no-configure] [--no-cgroup]]\n"
         "Without arguments it serves the host on the machine's virtio-serial port. As /init it boots the machine "
         "first.\n"
         "  --fd NUMBER     serve on this inherited socket instead, until it is closed\n"
         "  --root FOLDER   stands in front of /root, and of the files that configure writes\n"
         "  --no-configure  don't change the running system\n"
         "  --no-cgroup     put no command into a cgroup"});
    return usage_status;
}

bool parse(int argc, char** argv, socket_options& options) {
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        if (option == "--no-configure") {
            options.touch_system = false;
        } else if (option == "--no-cgroup") {
            options.use_cgroups = false;
        } else if (option == "--root" && i + 1 < argc) {
            options.root = text{argv[++i]};
        } else if (option != "--fd" || i + 1 == argc || !parse_number(std::string_view{argv[++i]}, options.fd)) {
            return false;
        }
    }
    return options.fd >= 0;
}

/// Our pipes shall never get the numbers that a command's streams have.
void fill_standard_streams() {
    int fd = -1;
    do {
        fd = ::open("/dev/null", O_RDWR);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO) {
        ::close(fd);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view name = argc > 0 ? argv[0] : "";
    if (::getpid() == 1 || name.ends_with("init")) {
        run_as_init(argv);
    }
    fill_standard_streams();
    if (argc <= 1) {
        return serve_port({});
    }
    socket_options options;
    return parse(argc, argv, options) ? serve_socket(static_cast<socket_options&&>(options)) : usage();
}
