// SPDX-License-Identifier: BSL-1.0
// Machines that boot from a given kernel and initrd: as an image with a name, and as paths in the topology.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<machine<"named", image<"given">, memory<128_MiB>>,
                    machine<"pathed", boot<kernel<GIVEN "/kernel">, initrd<GIVEN "/initrd">>, memory<128_MiB>,
                            kernel_arguments<"quiet", "vmdsl.test=1">>>;

BOOST_AUTO_TEST_CASE(both_boot_and_meet) {
    lab net;
    net.start();
    net.machine("named").run("ping -c 1 -W 10 pathed");
    BOOST_TEST(net.machine("pathed").run("cat /proc/cmdline").out().find("vmdsl.test=1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_kernel_that_does_not_exist_is_said) {
    network<machine<"box", boot<kernel<"/no/kernel">, initrd<"/no/initrd">>>> net;
    BOOST_CHECK_EXCEPTION(net.start(), could_not_run, [](const could_not_run& e) {
        return e.details().machine == "box" && e.details().what_failed == "the kernel /no/kernel does not exist";
    });
}
