// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <typeindex>
#include <vector>

#include <vmdsl/core/config.hpp>
#include <vmdsl/core/error.hpp>

namespace vmdsl::detail {

class network_runtime;
struct network_snapshot;

/// Everything that lives longer than a case's stack: the networks that run, and the checkpoints that were made.
///
/// Hooked into the worker: a case during which a machine died unasked and unseen fails at its end; after a failed case
/// it says how the machines looked that were still running when their network ended; at the worker's end it ends what
/// is left.
class runtime_registry {
public:
    [[nodiscard]] static VMDSL_DECL runtime_registry& instance();

    VMDSL_DECL void add(const std::shared_ptr<network_runtime>& network);

    /// What a machine showed when its network ended: evidence, should the case turn out to have failed.
    VMDSL_DECL void keep_remains(std::string machine, std::string console, std::string console_file);

    /// A death in a network that has ended, of which no verb has told: the case fails.
    VMDSL_DECL void keep_unseen_death(error_details death);

    /// The checkpoint of a fixture type, null where it has not been made (or was dropped). Throws where an earlier
    /// attempt to make it failed.
    [[nodiscard]] VMDSL_DECL std::shared_ptr<const network_snapshot> checkpoint(std::type_index fixture) const;
    VMDSL_DECL void set_checkpoint(std::type_index fixture, std::shared_ptr<const network_snapshot> snapshot);
    VMDSL_DECL void set_failure(std::type_index fixture, std::exception_ptr problem);

private:
    struct remains {
        std::string machine;
        std::string console;
        std::string console_file;
    };

    VMDSL_DECL runtime_registry();
    VMDSL_DECL void end_case(bool passed);
    [[nodiscard]] VMDSL_DECL std::vector<error_details> take_unseen_deaths();
    VMDSL_DECL void collect_coverage();
    VMDSL_DECL void end_worker();

    mutable std::mutex mutex_;
    std::vector<std::weak_ptr<network_runtime>> networks_;
    std::map<std::type_index, std::shared_ptr<const network_snapshot>> checkpoints_;
    std::map<std::type_index, std::exception_ptr> failures_;
    std::vector<remains> remains_;
    std::vector<error_details> unseen_deaths_;
};

}  // namespace vmdsl::detail

#ifdef VMDSL_HEADER_ONLY
#include <vmdsl/impl/runtime_registry.ipp>
#endif
