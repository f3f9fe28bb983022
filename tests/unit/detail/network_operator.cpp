// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <string_view>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_operator.hpp>

namespace {

using namespace vmdsl;
using detail::network_operator;
using texts = std::vector<std::string>;

network_plan two_machines() {
    network_plan plan;
    plan.segments = {"lan", "dmz"};
    plan.machines.resize(2);
    plan.machines[0].name = "client";
    plan.machines[0].segments = {"lan"};
    plan.machines[1].name = "webserver";
    plan.machines[1].segments = {"lan", "dmz"};
    return plan;
}

/// Machines that are never switched on.
struct idle_network {
    detail::network_core core{two_machines()};
    network_operator person{core};
};

std::string complaint_about(std::string_view line) {
    try {
        (void)network_operator::parse(line);
    } catch (const usage_error& problem) {
        return problem.what();
    }
    return {};
}

BOOST_FIXTURE_TEST_SUITE(network_operator_, idle_network)

BOOST_AUTO_TEST_CASE(a_line_is_taken_apart) {
    const auto asked = network_operator::parse("  run\tclient   echo  'a  b' | wc \n");
    BOOST_TEST(asked.verb == "run");
    BOOST_TEST(asked.machine == "client");
    BOOST_TEST(asked.rest == "echo  'a  b' | wc");
    BOOST_TEST(network_operator::parse("machines").machine.empty());
    BOOST_TEST(network_operator::parse("cut webserver dmz").rest == "dmz");
    BOOST_TEST(network_operator::parse("shell client").rest.empty());
    BOOST_TEST(network_operator::parse("shell client id -u").rest == "id -u");
    BOOST_TEST(network_operator::parse("screenshot client").rest.empty());
    BOOST_TEST(network_operator::parse("screenshot client /tmp/after boot.png").rest == "/tmp/after boot.png");
}

BOOST_AUTO_TEST_CASE(a_line_that_makes_no_sense_is_complained_about) {
    BOOST_TEST(complaint_about("mashines").starts_with("there is no command \"mashines\"; help lists them"));
    BOOST_TEST(complaint_about("").starts_with("there is no command \"\""));
    BOOST_TEST(complaint_about("run").starts_with("write: run NAME COMMAND"));
    BOOST_TEST(complaint_about("run client").starts_with("write: run NAME COMMAND"));
    BOOST_TEST(complaint_about("crash").starts_with("write: crash NAME"));
    BOOST_TEST(complaint_about("crash client now").starts_with("write: crash NAME"));
    BOOST_TEST(complaint_about("machines client").starts_with("write: machines"));
    BOOST_TEST(complaint_about("forward client").starts_with("write: forward NAME PORT"));
}

BOOST_AUTO_TEST_CASE(machines_are_known_by_their_names) {
    BOOST_TEST(person.machine_named("webserver") == 1U);
    BOOST_CHECK_EXCEPTION((void)person.machine_named("web"), usage_error, [](const usage_error& problem) {
        return std::string(problem.what()).starts_with("there is no machine \"web\"; there is client, webserver");
    });
}

BOOST_AUTO_TEST_CASE(a_link_of_several_has_to_be_named) {
    BOOST_CHECK_EXCEPTION((void)person.perform(network_operator::parse("cut webserver")), usage_error,
                          [](const usage_error& problem) {
                              return std::string(problem.what()).find("webserver is on: lan, dmz") != std::string::npos;
                          });
    BOOST_CHECK_THROW((void)person.perform(network_operator::parse("heal client dmz")), usage_error);
}

BOOST_AUTO_TEST_CASE(a_port_is_a_number_that_is_one) {
    for (const auto* line :
         {"forward client 0", "forward client 65536", "forward client http", "forward client 80 x"}) {
        BOOST_CHECK_EXCEPTION((void)person.perform(network_operator::parse(line)), usage_error,
                              [](const usage_error& problem) {
                                  return std::string(problem.what()).find("is no port") != std::string::npos;
                              });
    }
}

BOOST_AUTO_TEST_CASE(words_are_completed_by_their_place) {
    BOOST_TEST(person.complete("s") == (texts{"screenshot", "shell", "shutdown", "start"}),
               boost::test_tools::per_element());
    BOOST_TEST(person.complete("").size() == 14U);
    BOOST_TEST(person.complete("shell ") == (texts{"client", "webserver"}), boost::test_tools::per_element());
    BOOST_TEST(person.complete("shell we") == (texts{"webserver"}), boost::test_tools::per_element());
    BOOST_TEST(person.complete("cut webserver ") == (texts{"dmz", "lan"}), boost::test_tools::per_element());
    BOOST_TEST(person.complete("cut client d").empty());
    BOOST_TEST(person.complete("machines ").empty());
    BOOST_TEST(person.complete("nonsense x").empty());
    BOOST_TEST(person.complete("run client ").empty());
}

BOOST_AUTO_TEST_CASE(every_command_is_in_the_help) {
    const auto help = person.perform(network_operator::parse("help"));
    for (const auto& name : person.complete("")) {
        BOOST_TEST(("\n" + help).find("\n  " + name + " ") != std::string::npos, name);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
