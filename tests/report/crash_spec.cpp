// SPDX-License-Identifier: BSL-1.0
// A spec whose worker process dies in several ways. The environment variable CRASH_AT adds one more.
#include <csignal>
#include <cstdlib>
#include <string_view>

#include <boost/test/unit_test.hpp>

namespace ut = boost::unit_test;

namespace {

/// Never in the supervisor, whose statics are destroyed too.
bool crash_at(std::string_view place) {
    const char* wanted = ::getenv("CRASH_AT");
    return wanted != nullptr && place == wanted && ::getenv("VMDSL_RUN_ID") != nullptr;
}

struct at_exit {
    ~at_exit() {
        if (crash_at("exit")) {
            ::raise(SIGABRT);
        }
    }
} crashes_at_exit;

struct global_fixture {
    void setup() {
        if (crash_at("global fixture")) {
            ::raise(SIGSEGV);
        }
        if (crash_at("nowhere: it throws")) {
            throw 42;
        }
    }
    void teardown() {
        if (crash_at("teardown")) {
            ::raise(SIGBUS);
        }
    }
};

}  // namespace

BOOST_TEST_GLOBAL_FIXTURE(global_fixture);

BOOST_AUTO_TEST_CASE(first_passes) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(second_fails) {
    BOOST_TEST(false);
}

BOOST_AUTO_TEST_CASE(segfaults) {
    BOOST_CHECK_MESSAGE(false, "a check before the crash");
    ::raise(SIGSEGV);
}

BOOST_AUTO_TEST_CASE(passes_in_between) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(exits) {
    std::exit(3);
}

BOOST_AUTO_TEST_CASE(needs_the_first, *ut::depends_on("first_passes")) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(needs_the_second, *ut::depends_on("second_fails")) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_CASE(is_killed) {
    ::raise(SIGKILL);
}

BOOST_AUTO_TEST_CASE(last_passes) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE(hopeless, *ut::disabled())

BOOST_AUTO_TEST_CASE(a) {
    ::raise(SIGSEGV);
}
BOOST_AUTO_TEST_CASE(b) {
    ::raise(SIGSEGV);
}
BOOST_AUTO_TEST_CASE(c) {
    ::raise(SIGSEGV);
}
BOOST_AUTO_TEST_CASE(d) {
    ::raise(SIGSEGV);
}
BOOST_AUTO_TEST_CASE(e) {
    ::raise(SIGSEGV);
}

BOOST_AUTO_TEST_SUITE_END()
