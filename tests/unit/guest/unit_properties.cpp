// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/guest/unit_properties.hpp>

namespace {

using namespace vmdsl;

BOOST_AUTO_TEST_SUITE(unit_properties_test)

BOOST_AUTO_TEST_CASE(properties_are_read) {
    const unit_properties unit(
        "web.service",
        "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=42\nNRestarts=1\n"
        "Environment=A=1 B=2\nDescription=first\nand = second line\nListen=a\nListen=b\nEmpty=\n");
    BOOST_TEST(unit.exists());
    BOOST_TEST(unit.active());
    BOOST_TEST(!unit.failed());
    BOOST_TEST(unit.main_pid() == 42);
    BOOST_TEST(unit.restarts() == 1);
    BOOST_TEST(unit.value("Environment") == "A=1 B=2");
    BOOST_TEST(unit.value("Description") == "first\nand = second line");
    BOOST_TEST(unit.value("Listen") == "a\nb");
    BOOST_TEST(unit.value("Empty").empty());
    BOOST_TEST(unit.state_text() == "active (running)");
    BOOST_TEST(unit.all().size() == 9U);
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_said) {
    const unit_properties unit("no.service", "LoadState=not-found\nActiveState=inactive\nSubState=dead\nMainPID=x\n");
    BOOST_TEST(!unit.exists());
    BOOST_TEST(unit.state_text() == "there is none");
    BOOST_TEST(!unit.has("NRestarts"));
    BOOST_CHECK_EXCEPTION((void)unit.value("NRestarts"), usage_error, [](const usage_error& e) {
        return std::string_view(e.what()).find("no.service has no property NRestarts") != std::string_view::npos;
    });
    BOOST_CHECK_THROW((void)unit.main_pid(), usage_error);
    BOOST_TEST(unit_properties("empty", "").all().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
