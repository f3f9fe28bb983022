// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/network_link.hpp>

namespace vmdsl {

VMDSL_DECL void network_link::cut() {
    network_->cut(machine_, segment_);
}

VMDSL_DECL void network_link::heal() {
    network_->heal(machine_, segment_);
}

}  // namespace vmdsl
