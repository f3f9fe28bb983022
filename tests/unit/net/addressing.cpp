// SPDX-License-Identifier: BSL-1.0
#include <set>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/net/addressing.hpp>

using namespace vmdsl;

namespace {

machine_plan a_machine(std::string name, std::vector<std::string> segments) {
    machine_plan machine;
    machine.name = std::move(name);
    machine.segments = std::move(segments);
    return machine;
}

network_plan two_segments() {
    return {{"lan", "dmz"},
            {a_machine("client", {"lan"}), a_machine("router", {"dmz", "lan"}), a_machine("island", {})}};
}

bool says(const usage_error& e, std::string_view words) {
    return std::string_view(e.what()).find(words) != std::string_view::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(addressing)

BOOST_AUTO_TEST_CASE(cards_are_numbered_in_declaration_order) {
    const auto router = nic_addresses(two_segments(), "router");
    BOOST_TEST_REQUIRE(router.size() == 2U);
    BOOST_TEST((router[0] == nic_address{"dmz", "52:54:00:12:02:02", "192.168.2.2/24", "fd00:2::2/64"}));
    BOOST_TEST((router[1] == nic_address{"lan", "52:54:00:12:01:02", "192.168.1.2/24", "fd00:1::2/64"}));
    BOOST_TEST(interface_line(router[1]) == "52:54:00:12:01:02 192.168.1.2/24 fd00:1::2/64");
    BOOST_TEST(nic_addresses(two_segments(), "island").empty());
}

BOOST_AUTO_TEST_CASE(a_further_machine_renumbers_nobody) {
    auto plan = two_segments();
    const auto before = nic_addresses(plan, "router");
    plan.machines.push_back(a_machine("aaa", {"lan"}));
    plan.segments.push_back("aaa");
    BOOST_TEST((nic_addresses(plan, "router") == before));
}

BOOST_AUTO_TEST_CASE(the_mac_is_hexadecimal_and_the_ipv6_address_shows_the_ipv4_digits) {
    network_plan plan;
    for (int i = 1; i <= 254; ++i) {
        plan.segments.push_back("s" + std::to_string(i));
        plan.machines.push_back(a_machine("m" + std::to_string(i), {"s" + std::to_string(i)}));
    }
    const auto last = nic_addresses(plan, "m254");
    BOOST_TEST((last.at(0) == nic_address{"s254", "52:54:00:12:fe:fe", "192.168.254.254/24", "fd00:254::254/64"}));
    BOOST_TEST(nic_addresses(plan, "m10").at(0).mac == "52:54:00:12:0a:0a");

    plan.machines.push_back(a_machine("m255", {}));
    BOOST_CHECK_EXCEPTION(check_addressable(plan), usage_error, [](const auto& e) { return says(e, "255 machines"); });
    plan.machines.pop_back();
    plan.segments.push_back("s255");
    BOOST_CHECK_EXCEPTION(check_addressable(plan), usage_error, [](const auto& e) { return says(e, "255 segments"); });
}

BOOST_AUTO_TEST_CASE(the_hosts_file_has_every_address_of_every_machine) {
    BOOST_TEST(hosts_file(two_segments()) ==
               "192.168.1.1 client client.lan\n"
               "fd00:1::1 client client.lan\n"
               "192.168.2.2 router router.dmz\n"
               "fd00:2::2 router router.dmz\n"
               "192.168.1.2 router.lan\n"
               "fd00:1::2 router.lan\n");
    BOOST_TEST(hosts_file({}).empty());
}

BOOST_AUTO_TEST_CASE(a_plan_that_cannot_be_addressed_is_refused_with_its_reason) {
    const auto refused = [](const network_plan& plan, std::string_view words) {
        BOOST_CHECK_EXCEPTION(check_addressable(plan), usage_error, [&](const auto& e) { return says(e, words); });
    };
    refused({{"lan"}, {a_machine("a", {"wan"})}}, "\"wan\", which is not declared");
    refused({{"lan"}, {a_machine("a", {"lan", "lan"})}}, "two cards on segment \"lan\"");
    refused({{"lan"}, {a_machine("a", {}), a_machine("a", {})}}, "two machines are named \"a\"");
    refused({{"lan", "lan"}, {}}, "two segments are named \"lan\"");
    refused({{}, {a_machine("localhost", {})}}, "localhost");
    for (const char* name : {"", "two words", "line\nend", "dotted.name", "-dash", "caf\xc3\xa9"}) {
        refused({{}, {a_machine(name, {})}}, "is no host name");
        refused({{name}, {}}, "is no host name");
    }
    refused({{}, {a_machine(std::string(64, 'x'), {})}}, "is no host name");
    BOOST_CHECK_EXCEPTION((void)nic_addresses(two_segments(), "wbeserver"), usage_error,
                          [](const auto& e) { return says(e, "\"wbeserver\""); });
}

BOOST_AUTO_TEST_CASE(a_machine_id_depends_on_the_name_only_and_has_the_shape_of_a_uuid) {
    std::set<std::string> seen;
    for (int i = 0; i != 1000; ++i) {
        const std::string name = "machine" + std::to_string(i);
        const std::string id = machine_id(name);
        BOOST_TEST_REQUIRE(id.size() == 32U);
        BOOST_TEST_REQUIRE(id.find_first_not_of("0123456789abcdef") == std::string::npos);
        BOOST_TEST_REQUIRE(id[12] == '4');
        BOOST_TEST_REQUIRE(std::string("89ab").find(id[16]) != std::string::npos);
        BOOST_TEST_REQUIRE(seen.insert(id).second);
        BOOST_TEST_REQUIRE(machine_id(name) == id);
    }
    // Caches and guests' logs keep these across versions: a change here must be on purpose.
    BOOST_TEST(machine_id("webserver") == "547db385627b40718ecc77fbd9330715");
    const std::string uuid = machine_uuid("webserver");
    const std::string id = machine_id("webserver");
    BOOST_TEST(uuid == id.substr(0, 8) + '-' + id.substr(8, 4) + '-' + id.substr(12, 4) + '-' + id.substr(16, 4) + '-' +
                           id.substr(20));
}

BOOST_AUTO_TEST_SUITE_END()
