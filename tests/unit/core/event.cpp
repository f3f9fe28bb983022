// SPDX-License-Identifier: BSL-1.0
#include <cmath>
#include <cstdint>
#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/event.hpp>

namespace {

vmdsl::event sample() {
    vmdsl::event e;
    e.kind = vmdsl::event_kind::case_end;
    e.fields = {{"name", std::string("subversion/commit")},
                {"seconds", 0.5},
                {"count", std::int64_t{-7}},
                {"passed", true},
                {"broken", std::nan("")}};
    return e;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(event)

BOOST_AUTO_TEST_CASE(every_kind_has_a_name_of_its_own) {
    std::set<std::string> names;
    for (int i = 0; i <= static_cast<int>(vmdsl::event_kind::run_end); ++i) {
        names.emplace(to_string(static_cast<vmdsl::event_kind>(i)));
    }
    BOOST_TEST(names.size() == static_cast<std::size_t>(vmdsl::event_kind::run_end) + 1);
    BOOST_TEST(to_string(vmdsl::event_kind::run_begin) == "run_begin");
    BOOST_TEST(to_string(vmdsl::event_kind::check_failed) == "check_failed");
    BOOST_TEST(to_string(vmdsl::event_kind::file) == "file");
    BOOST_TEST(to_string(vmdsl::event_kind::ready) == "ready");
    BOOST_TEST(to_string(vmdsl::event_kind::run_end) == "run_end");
    BOOST_TEST(to_string(static_cast<vmdsl::event_kind>(200)) == "unknown");
}

BOOST_AUTO_TEST_CASE(fields_are_found_by_name_and_type) {
    const auto e = sample();
    BOOST_TEST(e.text("name") == "subversion/commit");
    BOOST_TEST(e.number("seconds") == 0.5);
    BOOST_TEST(e.number("count") == -7.0);
    BOOST_TEST(e.flag("passed"));
}

BOOST_AUTO_TEST_CASE(a_field_that_is_missing_or_of_another_type_gives_the_fallback) {
    const auto e = sample();
    BOOST_TEST(e.text("nothing") == "");
    BOOST_TEST(e.text("seconds", "none") == "none");
    BOOST_TEST(e.number("name", 3) == 3.0);
    BOOST_TEST(e.number("passed", 4) == 4.0);
    BOOST_TEST(e.number("broken", 5) == 5.0);
    BOOST_TEST(e.flag("count", true));
    BOOST_TEST(!e.flag("nothing"));
}

BOOST_AUTO_TEST_SUITE_END()
