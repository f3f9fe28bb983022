// SPDX-License-Identifier: BSL-1.0
// A kernel that counts its lines, and a system call that nothing makes by itself. See check_kernel.py.
#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

namespace {

using lab = network<machine<"one", image<"counting-kernel">>>;

struct named : checkpoint<lab> {
    void prepare() {
        net.start();
        for (int i = 0; i < 5; ++i) {
            net.machine("one").run("sysctl --quiet --write kernel.domainname=first");
        }
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(kernel, restored<named>)

BOOST_AUTO_TEST_CASE(debians_does_not_run) {
    BOOST_TEST(!net.machine("one").run("uname -r").out().ends_with("-cloud-amd64\n"));
}

BOOST_AUTO_TEST_CASE(a_case_counts_its_own) {
    for (int i = 0; i < 3; ++i) {
        net.machine("one").run("sysctl --quiet --write kernel.domainname=second");
    }
    net.machine("one").run("counting");
}

BOOST_AUTO_TEST_SUITE_END()
