// SPDX-License-Identifier: BSL-1.0
#include <latch>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

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
    body.start_replay(body.take_recording());
    BOOST_TEST(body.perform({"web", "run", "date"}, must_not_be_asked).out == "monday");
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "false"}, must_not_be_asked), std::runtime_error);
    body.go_live();
    BOOST_TEST(body.perform({"web", "run", "date"}, [] { return says("tuesday"); }).out == "tuesday");
}

BOOST_AUTO_TEST_CASE(every_difference_is_noticed) {
    transcript body;
    body.start_recording();
    (void)body.perform({"web", "run", "a"}, [] { return says("1"); });
    const auto recorded = body.take_recording();
    body.start_replay(recorded);
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "b"}, must_not_be_asked), transcript_mismatch);
    body.start_replay(recorded);
    BOOST_CHECK_THROW((void)body.perform({"db", "run", "a"}, must_not_be_asked), transcript_mismatch);
    body.start_replay(recorded);
    BOOST_CHECK_THROW(body.go_live(), transcript_mismatch);
    body.start_replay(recorded);
    (void)body.perform({"web", "run", "a"}, must_not_be_asked);
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "more"}, must_not_be_asked), transcript_mismatch);
}

BOOST_AUTO_TEST_CASE(other_content_is_another_call) {
    transcript body;
    body.start_recording();
    (void)body.perform({"web", "write file", "/x", {}, "1"}, [] { return says(""); });
    body.start_replay(body.take_recording());
    BOOST_CHECK_EXCEPTION((void)body.perform({"web", "write file", "/x", {}, "12"}, must_not_be_asked),
                          transcript_mismatch, [](const transcript_mismatch& m) {
                              return m.recorded == "machine \"web\": write file /x (1 bytes)" &&
                                     m.asked == "machine \"web\": write file /x (2 bytes)";
                          });
}

BOOST_AUTO_TEST_CASE(machines_are_asked_in_any_order_but_each_in_its_own) {
    transcript body;
    body.start_recording();
    (void)body.perform({"", "start", ""}, [] { return says(""); });
    for (const auto* machine : {"web", "db"}) {
        (void)body.perform({machine, "run", "a"}, [&] { return says(std::string(machine) + " a"); });
        (void)body.perform({machine, "run", "b"}, [&] { return says(std::string(machine) + " b"); });
    }
    const auto recorded = body.take_recording();
    body.start_replay(recorded);
    BOOST_TEST(body.perform({"db", "run", "a"}, must_not_be_asked).out == "db a");
    BOOST_TEST(body.perform({"web", "run", "a"}, must_not_be_asked).out == "web a");
    BOOST_TEST(body.perform({"db", "run", "b"}, must_not_be_asked).out == "db b");
    (void)body.perform({"", "start", ""}, must_not_be_asked);
    BOOST_CHECK_THROW(body.go_live(), transcript_mismatch);
    BOOST_TEST(body.perform({"web", "run", "b"}, must_not_be_asked).out == "web b");
    body.go_live();
    body.start_replay(recorded);
    BOOST_CHECK_EXCEPTION((void)body.perform({"db", "run", "b"}, must_not_be_asked), transcript_mismatch,
                          [](const transcript_mismatch& m) { return m.recorded == "machine \"db\": run a"; });
}

BOOST_AUTO_TEST_CASE(threads_that_ask_one_machine_need_no_order) {
    transcript body;
    body.start_recording();
    const auto ask = [&](const std::string& what, const std::string& answer) {
        (void)body.perform({"web", "run", what}, [&] { return says(answer); });
    };
    ask("date", "monday");
    std::thread([&] { ask("uptime", "long"); }).join();
    ask("date", "tuesday");
    body.start_replay(body.take_recording());
    BOOST_TEST(body.perform({"web", "run", "uptime"}, must_not_be_asked).out == "long");
    BOOST_TEST(body.perform({"web", "run", "date"}, must_not_be_asked).out == "monday");
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "uptime"}, must_not_be_asked), transcript_mismatch);
    BOOST_TEST(body.perform({"web", "run", "date"}, must_not_be_asked).out == "tuesday");
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "date"}, must_not_be_asked), transcript_mismatch);
}

BOOST_AUTO_TEST_CASE(many_threads_record_and_replay_at_once) {
    constexpr int threads = 4;
    constexpr int verbs = 200;
    transcript body;
    std::latch all_inside(threads);
    const auto run_all = [&](bool replay) {
        std::vector<std::jthread> running;
        for (int t = 0; t < threads; ++t) {
            running.emplace_back([&, t] {
                for (int i = 0; i < verbs; ++i) {
                    const auto machine = t < 2 ? "shared" : "own " + std::to_string(t);
                    const auto what = std::to_string(t) + " " + std::to_string(i);
                    const auto answer = body.perform({machine, "run", what}, [&] {
                        if (replay) {
                            must_not_be_asked();
                        }
                        if (i == 0) {
                            all_inside.arrive_and_wait();  // nobody gets here where a lock is held meanwhile
                        }
                        return says(what);
                    });
                    if (answer.out != what) {
                        throw std::logic_error("another verb's answer");
                    }
                }
            });
        }
    };
    body.start_recording();
    run_all(false);
    body.start_replay(body.take_recording());
    run_all(true);
    body.go_live();
}

BOOST_AUTO_TEST_CASE(questions_may_be_asked_as_often_as_it_takes) {
    transcript body;
    const vmdsl::detail::verb_call question{"web", "is running", "x", {}, {}, true};
    const auto poll = [&](int times, bool answer) {
        for (int i = 0; i < times; ++i) {
            (void)body.perform(question, [&] {
                auto said = says("");
                said.flag = answer;
                return said;
            });
        }
    };
    body.start_recording();
    poll(1000, true);
    (void)body.perform({"web", "run", "a"}, [] { return says(""); });
    poll(1000, true);
    poll(1000, false);
    const auto recorded = body.take_recording();
    BOOST_TEST(recorded->at("web").entries.size() == 4U);

    const auto again = [&](int times) {
        int yes = 0;
        for (int i = 0; i < times; ++i) {
            yes += body.perform(question, must_not_be_asked).flag ? 1 : 0;
        }
        return yes;
    };
    body.start_replay(recorded);
    BOOST_TEST(again(1000) == 1000);
    BOOST_TEST(again(3) == 3);  // more often than recorded
    (void)body.perform({"web", "run", "a"}, must_not_be_asked);
    BOOST_TEST(again(1500) == 1000);
    body.go_live();  // and less often

    body.start_replay(recorded);
    BOOST_TEST(body.perform(question, must_not_be_asked).flag);
    BOOST_CHECK_THROW((void)body.perform({"web", "is running", "y", {}, {}, true}, must_not_be_asked),
                      transcript_mismatch);
    BOOST_CHECK_THROW((void)body.perform({"web", "run", "b"}, must_not_be_asked), transcript_mismatch);
    BOOST_CHECK_THROW(body.go_live(), transcript_mismatch);
}

BOOST_AUTO_TEST_CASE(a_question_that_came_before_another_verb_is_no_answer_to_a_later_one) {
    transcript body;
    const vmdsl::detail::verb_call question{"web", "is running", "x", {}, {}, true};
    body.start_recording();
    (void)body.perform(question, [] { return says(""); });
    (void)body.perform({"web", "run", "a"}, [] { return says(""); });
    body.start_replay(body.take_recording());
    (void)body.perform(question, must_not_be_asked);
    (void)body.perform({"web", "run", "a"}, must_not_be_asked);
    BOOST_CHECK_THROW((void)body.perform(question, must_not_be_asked), transcript_mismatch);
}

BOOST_AUTO_TEST_CASE(a_replay_names_the_streams_of_each_machines_jobs) {
    transcript body;
    body.start_recording();
    const auto job = [](std::uint32_t id) {
        verb_answer answer;
        answer.job.id = id;
        return answer;
    };
    (void)body.perform({"web", "spawn", "x"}, [&] { return job(4); });
    (void)body.perform({"db", "spawn", "y"}, [&] { return job(2); });
    (void)body.perform({"web", "run", "z"}, [] { return says(""); });
    body.start_replay(body.take_recording());
    BOOST_TEST(body.perform({"db", "spawn", "y"}, [&] { return job(0); }).job.id == 2U);
    BOOST_TEST(body.perform({"web", "spawn", "x"}, [&] { return job(0); }).job.id == 4U);
    BOOST_TEST(body.perform({"web", "run", "z"}, [&] { return job(9); }).job.id == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
