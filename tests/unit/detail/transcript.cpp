// SPDX-License-Identifier: BSL-1.0
#include <stdexcept>
#include <string>

#include <boost/test/unit_test.hpp>

#include <vmdsl/detail/transcript.hpp>

using vmdsl::detail::transcript;
using vmdsl::detail::transcript_mismatch;
using vmdsl::detail::verb_answer;

namespace {

verb_answer says(std::string text) {
    verb_answer answer;
    answer.out = std::move(text);
    return answer;
}

verb_answer must_not_be_asked() {
    throw std::logic_error("a replay reached a machine");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(transcript_test)

BOOST_AUTO_TEST_CASE(a_replay_answers_without_asking) {
    transcript body;
    body.start_recording();
    (void)body.perform({"web", "run", "date"}, [] { return says("monday"); });
    BOOST_CHECK_THROW(
        (void)body.perform({"web", "run", "false"}, []() -> verb_answer { throw std::runtime_error("no"); }),
        std::runtime_error);
    body.start_replay();
    BOOST_TEST(body.perform({"web", "run", "date"}, must_not_be_asked).out == "monday");
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "false"}, must_not_be_asked), std::runtime_error);
    body.go_live();
    BOOST_TEST(body.perform({"web", "run", "date"}, [] { return says("tuesday"); }).out == "tuesday");
}

BOOST_AUTO_TEST_CASE(every_difference_is_noticed) {
    transcript body;
    body.start_recording();
    (void)body.perform({"web", "run", "a"}, [] { return says("1"); });
    body.start_replay();
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "b"}, must_not_be_asked), transcript_mismatch);
    body.start_replay();
    BOOST_CHECK_THROW((void)body.perform({"db", "run", "a"}, must_not_be_asked), transcript_mismatch);
    body.start_replay();
    BOOST_CHECK_THROW(body.go_live(), transcript_mismatch);
    body.start_replay();
    (void)body.perform({"web", "run", "a"}, must_not_be_asked);
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "more"}, must_not_be_asked), transcript_mismatch);
}

BOOST_AUTO_TEST_CASE(jobs_are_remembered_by_machine) {
    transcript body;
    body.start_recording();
    const auto job = [](std::uint32_t id) {
        verb_answer answer;
        answer.stream = id;
        return answer;
    };
    (void)body.perform({"web", "spawn", "x"}, [&] { return job(4); });
    (void)body.perform({"db", "spawn", "y"}, [&] { return job(2); });
    (void)body.perform({"web", "run", "z"}, [] { return says(""); });
    const std::vector<std::uint32_t> expected{4};
    BOOST_TEST(body.streams_of("web") == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
