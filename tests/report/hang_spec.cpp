// SPDX-License-Identifier: BSL-1.0
// A spec whose second case does not end. IGNORE_SIGTERM: nor does its worker when it is asked to.
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>

namespace {

void hang() {
    vmdsl::emit(vmdsl::event_kind::note, {}, {{"text", std::string("hangs")}});
    if (::getenv("IGNORE_SIGTERM") != nullptr) {
        ::signal(SIGTERM, SIG_IGN);
    }
    for (;;) {
        ::pause();
    }
}

struct hangs_in_setup {
    void setup() { hang(); }
    void teardown() {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(before) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(hangs) {
    const auto file = vmdsl::current_run().output_directory / "web.log";
    std::ofstream(file) << std::string(20'000, '.') << "\nlast words\n";
    vmdsl::emit(vmdsl::event_kind::evidence, "web", {{"console_file", file.string()}});
    vmdsl::emit(vmdsl::event_kind::verb, "web", {{"text", std::string("run sleep 1000")}});
    hang();
}

BOOST_AUTO_TEST_CASE(after) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE(in_a_fixture, *boost::unit_test::fixture<hangs_in_setup>() * boost::unit_test::disabled())

BOOST_AUTO_TEST_CASE(not_reached) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()
