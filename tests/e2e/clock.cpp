// SPDX-License-Identifier: BSL-1.0
// A guest's clock runs at the right speed, though the host was busy while the guest's kernel looked for it.
#include <chrono>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<machine<"left", memory<128_MiB>>, machine<"right", memory<128_MiB>>>;

namespace {

using seconds = std::chrono::duration<double>;

seconds host_time() {
    return std::chrono::steady_clock::now().time_since_epoch();
}

/// A moment by the guest's clock, and the interval of the host's time in which it was.
struct moment {
    explicit moment(guest& of) : earliest(host_time()), uptime(std::stod(of.run("cat /proc/uptime").out())) {}

    seconds earliest;
    seconds uptime;
    seconds latest = host_time();
};

}  // namespace

struct ready : checkpoint<lab> {
    void prepare() {
        std::vector<std::jthread> load(3 * std::thread::hardware_concurrency());
        for (auto& thread : load) {
            thread = std::jthread([](const std::stop_token& enough) {
                while (!enough.stop_requested()) {
                }
            });
        }
        net.start();
    }
};

BOOST_FIXTURE_TEST_SUITE(guest_clock, restored<ready>)

BOOST_AUTO_TEST_CASE(it_keeps_pace_with_the_hosts) {
    const seconds resolution{0.01};
    for (auto& machine : net.machines()) {
        const moment begin(machine);
        machine.run("sleep 3");
        const moment end(machine);
        const seconds by_the_guest = end.uptime - begin.uptime;
        BOOST_TEST(by_the_guest.count() >= 0.99 * (end.earliest - begin.latest - resolution).count());
        BOOST_TEST(by_the_guest.count() <= 1.01 * (end.latest - begin.earliest + resolution).count());
        BOOST_TEST((end.latest - begin.earliest).count() >= 0.99 * 3, "the guest slept for less than 3 s");
    }
}

BOOST_AUTO_TEST_SUITE_END()
