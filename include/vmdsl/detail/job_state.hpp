// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <vmdsl/detail/machine_runtime.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/transcript.hpp>
#include <vmdsl/job.hpp>

namespace vmdsl {

struct job::state {
    detail::network_core* network = nullptr;
    std::size_t index = 0;
    std::string text;
    std::chrono::nanoseconds limit{};
    detail::job_stream known_as;
    std::mutex mutex;
    std::shared_ptr<agent_stream> stream;  // null while it is known from a replay only

    /// The running command. After a restore it is attached to at first use; throws `machine_died` where its machine was
    /// switched off before that.
    [[nodiscard]] std::shared_ptr<agent_stream> live() {
        const std::lock_guard lock(mutex);
        if (!stream) {
            stream = network->machine(index).attach(known_as);
        }
        return stream;
    }

    [[nodiscard]] detail::verb_call call(std::string verb, const source_location& where) const {
        return detail::command_call(network->plan().machines[index].name, std::move(verb), text, where);
    }
};

}  // namespace vmdsl
