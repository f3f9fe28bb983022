// SPDX-License-Identifier: BSL-1.0
// Machines that are added while the network runs: in a checkpoint's body, and in a case.
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/vmdsl.hpp>

using namespace vmdsl;

using lab = network<segment<"front">, segment<"back">, machine<"box", memory<128_MiB>>>;
using worker = machine<"worker", memory<128_MiB>, segment<"back">, segment<"front">>;

namespace {

bool mentions(const std::exception& problem, std::string_view text) {
    return std::string_view(problem.what()).find(text) != std::string_view::npos;
}

}  // namespace

struct ready : checkpoint<lab> {
    vmdsl::guest* first = nullptr;

    void prepare() {
        net.start();
        first = &net.add<worker>();
        first->start().run("ping -c 1 -W 10 box");
        first->write_file("/tmp/prepared", "yes");
    }
};

BOOST_FIXTURE_TEST_SUITE(added, restored<ready>)

BOOST_AUTO_TEST_CASE(one_that_the_body_added_is_restored) {
    auto& box = net.machine("box");
    BOOST_TEST(first->name() == "worker");
    BOOST_TEST(first->read_file("/tmp/prepared") == "yes");
    BOOST_TEST(first->run("hostname").out() == "worker\n");
    box.run("ping -c 1 -W 10 worker.front");
    first->write_file("/tmp/prepared", "changed");
    net.link(*first, "front").cut();
    BOOST_TEST(box.execute("ping -c 1 -W 1 worker.front").failed());
}

BOOST_AUTO_TEST_CASE(one_more_is_added_in_a_case) {
    BOOST_TEST(first->read_file("/tmp/prepared") == "yes");
    auto& box = net.machine("box");
    auto& second = net.add<worker>("worker-2");
    BOOST_TEST(second.name() == "worker-2");
    BOOST_TEST(first->name() == "worker");
    BOOST_TEST(!second.running());
    BOOST_CHECK_THROW(second.run("true"), usage_error);
    second.start();
    second.run("ping -c 1 -W 10 box && ping -c 1 -W 10 worker");
    box.run("ping -c 1 -W 10 worker-2.front");
    first->run("ping -c 1 -W 10 worker-2");
    BOOST_TEST(second.run("hostname").out() == "worker-2\n");
    net.link(second).cut();
    BOOST_TEST(first->execute("ping -c 1 -W 1 worker-2").failed());
    BOOST_CHECK_EXCEPTION(net.add<worker>("worker-2"), usage_error,
                          [](const usage_error& e) { return mentions(e, "worker-2") && mentions(e, "added.cpp:"); });
    BOOST_CHECK_THROW(net.add<worker>("box"), usage_error);
    BOOST_CHECK_THROW(net.add<worker>("no name"), usage_error);
    BOOST_CHECK_THROW((net.add<machine<"far", segment<"nowhere">>>()), usage_error);
    BOOST_CHECK_THROW((net.add<machine<"strange", image<"no-such-image">>>()), could_not_run);
    BOOST_CHECK_THROW(net.link(second, "nowhere").cut(), usage_error);
}

BOOST_AUTO_TEST_CASE(what_a_case_added_is_gone) {
    BOOST_TEST(net.machine("box").execute("ping -c 1 -W 1 worker-2.front").failed());
    BOOST_TEST(net.machine("box").read_file("/etc/hosts").find("worker-2") == std::string::npos);
    BOOST_TEST(&net.add<worker>("worker-2") != first);  // the name is free
}

BOOST_AUTO_TEST_SUITE_END()
