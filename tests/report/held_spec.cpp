// SPDX-License-Identifier: BSL-1.0
// What --interactive sees of a spec whose network is up, on a host without the program that gives a prompt.
#include <string>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event_stream.hpp>

BOOST_AUTO_TEST_CASE(is_held) {
    vmdsl::emit(vmdsl::event_kind::ready, {}, {{"folder", std::string()}, {"prompt", std::string()}});
    for (;;) {
        ::pause();
    }
}
