// SPDX-License-Identifier: BSL-1.0
// A spec with one case of each kind of end.
#include <stdexcept>
#include <string>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/report/boost_test.hpp>

namespace ut = boost::unit_test;

namespace {

const bool hooks_registered = [] {
    vmdsl::on_case_end([](bool passed) {
        if (!passed) {
            vmdsl::emit(vmdsl::event_kind::evidence, "web",
                        {{"console", std::string("login: \x1b[31mroot\x01 \xff ]]> & <done>\r\nbye")},
                         {"console_file", std::string("/nowhere/web.log")}});
        }
    });
    return true;
}();

struct broken_fixture {
    broken_fixture() { throw std::runtime_error("the fixture is broken"); }
};

struct broken_suite_fixture {
    void setup() { throw vmdsl::could_not_run("no such image: \"nope\"", "build it"); }
    void teardown() {}
};

}  // namespace

BOOST_AUTO_TEST_CASE(passes) {
    BOOST_TEST(hooks_registered);
}

BOOST_AUTO_TEST_SUITE(ends, *ut::label("smoke"))

BOOST_AUTO_TEST_CASE(fails) {
    BOOST_TEST_CONTEXT("machine web") {
        BOOST_TEST(1 + 1 == 3);
    }
    BOOST_CHECK_MESSAGE(false, "a second one");
}

BOOST_AUTO_TEST_CASE(requires_too_much) {
    BOOST_REQUIRE(false);
}

BOOST_AUTO_TEST_CASE(throws_std) {
    throw std::runtime_error("boom <&>");
}

BOOST_AUTO_TEST_CASE(throws_vmdsl) {
    vmdsl::error_details details;
    details.machine = "web";
    details.what_failed = "\"false\" exited with code 1";
    details.where = "spec.cpp:77";
    details.err_tail = std::string(6000, 'x') + "\nthe end";
    throw vmdsl::command_failed(details);
}

BOOST_AUTO_TEST_CASE(could_not_run) {
    throw vmdsl::could_not_run("there is no QEMU", "install qemu-system-x86");
}

BOOST_AUTO_TEST_CASE(fails_as_expected, *ut::expected_failures(1)) {
    BOOST_TEST(false);
}

BOOST_FIXTURE_TEST_CASE(has_a_broken_fixture, broken_fixture) {
    BOOST_TEST(true);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(skips)

BOOST_AUTO_TEST_CASE(by_precondition, *ut::precondition([](ut::test_unit_id) {
                         boost::test_tools::assertion_result no(false);
                         no.message() << "no /dev/kvm";
                         return no;
                     })) {
}

BOOST_AUTO_TEST_CASE(by_decorator, *ut::disabled()) {
}

BOOST_AUTO_TEST_CASE(depends_on_a_failure, *ut::depends_on("ends/fails")) {
}

BOOST_AUTO_TEST_CASE(depends_on_a_success, *ut::depends_on("passes")) {
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(with_suite_fixture, *ut::fixture<broken_suite_fixture>())

BOOST_AUTO_TEST_CASE(never_runs) {
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_DATA_TEST_CASE(kernels, ut::data::make({"5.10", "6.1"}), version) {
    BOOST_TEST(version != std::string("6.1"));
}
