// SPDX-License-Identifier: BSL-1.0
#pragma once

/// Test cases that start from a saved state: the fixture `restored<>`, and the base `checkpoint<>` of what says how a
/// network gets into that state.

#include <memory>
#include <typeindex>
#include <typeinfo>

#include <vmdsl/detail/network_core.hpp>

namespace vmdsl {

/// Base of a state that test cases start from. Derive from it, and say in `void prepare()` how the network gets there:
///
///     struct ready : checkpoint<lab> {
///         void prepare() {
///             net.start();
///             net.machine("webserver").wait_for_unit("apache2.service");
///         }
///     };
///     BOOST_FIXTURE_TEST_SUITE(web, restored<ready>)
///     BOOST_AUTO_TEST_CASE(the_start_page_is_there) { net.machine("client").run("curl -fsS http://webserver/"); }
///     BOOST_AUTO_TEST_SUITE_END()
///
/// Members that `prepare` fills are filled in every case. What a checkpoint did last, its copies do fast, so end the
/// body with a request like those the cases make.
template <class Network>
struct checkpoint {
    /// What `prepare()` and the cases work with. Its machines are off at first.
    Network net;
};

/// Fixture: each case gets a copy of the network in the state that `Ready::prepare` left, with all machines' memory and
/// disks and the links between them. What a case does, no other case sees.
///
/// The body runs once, on machines that really boot. Before each case it runs again, on that case's object, while its
/// verbs get the recorded answers and the machines are restored meanwhile: so it must ask the same each time. Making
/// the checkpoint has the time of a case for itself (`--case-timeout`), and saving it 2 minutes.
template <class Ready>
struct restored : Ready {
    /// Restores the network. Throws what the body throws; a body that failed once makes the later cases fail at once.
    /// Throws `usage_error` where the body asks for something else each time; `could_not_run`, `timed_out` and
    /// `machine_died` where the network can't be saved or restored.
    restored() {
        const auto record = [] {
            Ready first;
            return detail::network_access::core(first.net).record([&] { first.prepare(); });
        };
        detail::restore_fixture(std::type_index(typeid(Ready)), detail::network_access::core(this->net), record,
                                [this] { this->prepare(); });
    }
};

}  // namespace vmdsl
