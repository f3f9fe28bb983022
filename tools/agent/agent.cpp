// SPDX-License-Identifier: BSL-1.0
#include <memory>

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <unistd.h>

#include <agent/agent.hpp>
#include <agent/console.hpp>
#include <agent/port.hpp>
#include <agent/session.hpp>
#include <agent/spawn.hpp>

namespace vmdsl::agent {

int serve_port(unique_fd configured) {
    use_console();
    // A shutdown ends the agent last: it is ended with the machine.
    for (const int number : {SIGPIPE, SIGTERM, SIGHUP, SIGINT}) {
        ::signal(number, SIG_IGN);
    }
    protect_from_out_of_memory_killer();
    raise_open_files_limit();
    unique_fd port = open_port(wire::agent_port);
    if (!port) {
        say({"this machine has no virtio-serial port named ", wire::agent_port});
        return 1;
    }
    session_options options;
    options.configured = static_cast<unique_fd&&>(configured);
    const auto served = std::make_unique<session>(static_cast<unique_fd&&>(port), host_link::kind::port,
                                                  static_cast<session_options&&>(options));
    served->run();
    return 1;
}

int serve_socket(socket_options chosen) {
    ::signal(SIGPIPE, SIG_IGN);
    raise_open_files_limit();
    // What our parent has left open is nobody's business in a command.
    ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
    if (::fcntl(chosen.fd, F_SETFL, O_NONBLOCK) != 0 || ::fcntl(chosen.fd, F_SETFD, FD_CLOEXEC) != 0) {
        say({"--fd ", digits{chosen.fd}, ": no such file descriptor"});
        return 2;
    }
    session_options options;
    options.root = static_cast<text&&>(chosen.root);
    options.touch_system = chosen.touch_system;
    // Several of them may run side by side.
    options.cgroup_name = chosen.use_cgroups ? join({"vmdsl-", digits{::getpid()}}) : text{};
    const auto served = std::make_unique<session>(unique_fd{chosen.fd}, host_link::kind::socket,
                                                  static_cast<session_options&&>(options));
    served->run();
    return 0;
}

}  // namespace vmdsl::agent
