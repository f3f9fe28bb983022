// SPDX-License-Identifier: BSL-1.0
#include <errno.h>
#include <unistd.h>

#include <agent/output_sink.hpp>

namespace vmdsl::agent {

namespace {

/// Reads at most so often at a time: whoever writes without a pause shall not keep the agent from its work.
constexpr int most_reads = 16;

}  // namespace

output_sink::output_sink(event_loop& loop, unique_fd pipe) noexcept
    : loop_(loop), pipe_(static_cast<unique_fd&&>(pipe)) {
}

output_sink::~output_sink() {
    loop_.remove(pipe_.get(), *this);
}

void output_sink::adopt(event_loop& loop, unique_fd pipe) {
    auto* sink = new output_sink{loop, static_cast<unique_fd&&>(pipe)};
    if (loop.add(sink->pipe_.get(), *sink) != 0) {
        delete sink;
    }
}

void output_sink::on_events(std::uint32_t /*events*/) {
    char forgotten[16 * 1024];
    for (int i = 0; i < most_reads; ++i) {
        const ssize_t got = ::read(pipe_.get(), forgotten, sizeof forgotten);
        if (got > 0 || (got < 0 && errno == EINTR)) {
            continue;
        }
        if (got == 0 || errno != EAGAIN) {
            delete this;
        }
        return;
    }
    // Registering again makes epoll tell at once that there is more.
    loop_.remove(pipe_.get(), *this);
    if (loop_.add(pipe_.get(), *this) != 0) {
        delete this;
    }
}

}  // namespace vmdsl::agent
