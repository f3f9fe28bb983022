// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstdint>

#include <agent/event_loop.hpp>
#include <agent/fd.hpp>

namespace vmdsl::agent {

/// Reads and forgets what processes write that outlived their command: a closed pipe would kill them, a full one stop
/// them. Deletes itself when the last of them is gone.
class output_sink final : public event_source {
public:
    static void adopt(event_loop& loop, unique_fd pipe);

    void on_events(std::uint32_t events) override;

private:
    output_sink(event_loop& loop, unique_fd pipe) noexcept;
    ~output_sink();

    event_loop& loop_;
    unique_fd pipe_;
};

}  // namespace vmdsl::agent
