// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Everything that an author uses: the one header of vmdsl that a spec includes, beside `<boost/test/unit_test.hpp>`.

#include <vmdsl/checkpoint.hpp>
#include <vmdsl/guest.hpp>
#include <vmdsl/job.hpp>
#include <vmdsl/machine.hpp>
#include <vmdsl/network.hpp>
#include <vmdsl/network_link.hpp>
#include <vmdsl/polling_condition.hpp>
#include <vmdsl/step.hpp>
