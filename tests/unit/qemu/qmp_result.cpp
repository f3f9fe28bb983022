// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/qemu/qmp_result.hpp>

namespace {

using namespace vmdsl;

BOOST_AUTO_TEST_SUITE(qmp_result_test)

BOOST_AUTO_TEST_CASE(parts_are_read_by_their_kind) {
    const qmp_result answer(R"({"status": "running", "on": true, "list": [{"n": 7}, {}]})");
    BOOST_TEST(answer.text("/status") == "running");
    BOOST_TEST(answer.flag("/on"));
    BOOST_TEST(answer.number("/list/0/n") == 7);
    BOOST_TEST(answer.size("/list") == 2U);
    BOOST_TEST(answer.size() == 3U);
    BOOST_TEST(answer.has("/list/1"));
    BOOST_TEST(!answer.has("/list/2"));
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_said_with_the_whole_answer) {
    const qmp_result answer(R"({"status":"running"})");
    BOOST_CHECK_EXCEPTION((void)answer.number("/status"), usage_error, [](const usage_error& e) {
        return std::string_view(e.what()).find(R"(no whole number at "/status": {"status":"running"})") !=
               std::string_view::npos;
    });
    BOOST_CHECK_THROW((void)answer.text("/nothing"), usage_error);
    BOOST_CHECK_THROW((void)answer.flag("/status"), usage_error);
    BOOST_CHECK_THROW((void)answer.size("/status"), usage_error);
    BOOST_CHECK_THROW((void)answer.text("no pointer"), usage_error);
    BOOST_CHECK_THROW((void)qmp_result("").text("/x"), usage_error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
