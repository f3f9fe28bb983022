// SPDX-License-Identifier: BSL-1.0
#include <typeinfo>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>

namespace {

using namespace vmdsl;

template <class Error>
bool keeps_its_type() {
    try {
        throw_like(Error("before"), Error("after").details());
    } catch (const error& problem) {
        return typeid(problem) == typeid(Error) && problem.details().what_failed == "after";
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(error_)

BOOST_AUTO_TEST_CASE(an_error_with_other_details_is_of_the_same_type) {
    BOOST_TEST(keeps_its_type<error>());
    BOOST_TEST(keeps_its_type<command_failed>());
    BOOST_TEST(keeps_its_type<timed_out>());
    BOOST_TEST(keeps_its_type<machine_died>());
    BOOST_TEST(keeps_its_type<guest_error>());
    BOOST_TEST(keeps_its_type<could_not_run>());
    BOOST_TEST(keeps_its_type<usage_error>());
}

BOOST_AUTO_TEST_SUITE_END()
