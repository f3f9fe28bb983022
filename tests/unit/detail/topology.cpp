// SPDX-License-Identifier: BSL-1.0
#include <string>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/detail/topology.hpp>

namespace {

using namespace vmdsl;
using strings = std::vector<std::string>;

using lab =
    detail::topology<segment<"dmz">, segment<"office">,
                     machine<"web", image<"svn-server">, memory<512_MiB>, vcpus<2>, segment<"office">, segment<"dmz">,
                             disk<"data", 1_GiB>, disk<"log", 64_MiB>, forward<host_port<8081>, guest_port<80>>,
                             forward<guest_port<443>>, kernel_arguments<"quiet", "loglevel=3">,
                             qemu_arguments<"-device", "edu">, display, volatile_root>,
                     machine<"client">, machine<"given", boot<kernel<"build/bzImage">, initrd<"build/initrd">>>>;

}  // namespace

BOOST_AUTO_TEST_SUITE(topology)

BOOST_AUTO_TEST_CASE(the_plan_holds_all_that_the_types_say) {
    const auto plan = lab::plan();
    BOOST_TEST(plan.segments == (strings{"dmz", "office"}));
    BOOST_REQUIRE(plan.machines.size() == 3U);
    const auto& web = plan.machines[0];
    BOOST_TEST(web.name == "web");
    BOOST_TEST(web.image == "svn-server");
    BOOST_TEST(web.memory_bytes == 512ULL << 20U);
    BOOST_TEST(web.vcpus == 2U);
    BOOST_TEST(web.segments == (strings{"office", "dmz"}));
    BOOST_REQUIRE(web.disks.size() == 2U);
    BOOST_TEST(web.disks[0].name == "data");
    BOOST_TEST(web.disks[0].bytes == 1ULL << 30U);
    BOOST_TEST(web.disks[1].name == "log");
    BOOST_REQUIRE(web.forwards.size() == 2U);
    BOOST_TEST(web.forwards[0].host_port == 8081);
    BOOST_TEST(web.forwards[0].guest_port == 80);
    BOOST_TEST(web.forwards[1].host_port == 0);
    BOOST_TEST(web.forwards[1].guest_port == 443);
    BOOST_TEST(web.kernel_arguments == (strings{"quiet", "loglevel=3"}));
    BOOST_TEST(web.qemu_arguments == (strings{"-device", "edu"}));
    BOOST_TEST(web.volatile_root);
    BOOST_TEST(web.display);
}

BOOST_AUTO_TEST_CASE(a_machine_without_options_has_the_defaults_and_the_first_segment) {
    const auto plan = lab::plan();
    const auto& client = plan.machines[1];
    const machine_plan defaults;
    BOOST_TEST(client.name == "client");
    BOOST_TEST(client.image == defaults.image);
    BOOST_TEST(client.memory_bytes == defaults.memory_bytes);
    BOOST_TEST(client.vcpus == defaults.vcpus);
    BOOST_TEST(client.segments == strings{"dmz"});
    BOOST_TEST(!client.volatile_root);
    BOOST_TEST(!client.display);
}

BOOST_AUTO_TEST_CASE(a_machine_may_boot_a_given_kernel) {
    const auto plan = lab::plan();
    BOOST_TEST(plan.machines[2].kernel == "build/bzImage");
    BOOST_TEST(plan.machines[2].initrd == "build/initrd");
}

BOOST_AUTO_TEST_CASE(without_a_declared_segment_there_is_one) {
    const auto plan = detail::topology<machine<"a">, machine<"b">>::plan();
    BOOST_TEST(plan.segments == strings{"lan"});
    BOOST_TEST(plan.machines[1].segments == strings{"lan"});
}

BOOST_AUTO_TEST_SUITE_END()
