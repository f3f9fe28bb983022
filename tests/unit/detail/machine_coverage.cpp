// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/event_stream.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/core/scoped_value.hpp>
#include <vmdsl/core/wait_duty.hpp>
#include <vmdsl/coverage/shard.hpp>
#include <vmdsl/detail/machine_coverage.hpp>

namespace {

using namespace vmdsl;
using detail::machine_coverage;

/// A machine that counts, the folder of the run's shards, and the events.
struct counting_machine {
    std::filesystem::path shards = current_run().output_directory / "coverage" / "shards";
    std::array<int, 2> pipe{};
    machine_coverage web{"web", {{"/nowhere", "/coverage/own"}}};

    counting_machine() {
        BOOST_REQUIRE(::pipe2(pipe.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        set_event_descriptor(pipe[1]);
        web.begin();
    }
    ~counting_machine() {
        set_event_descriptor(-1);
        ::close(pipe[0]);
        ::close(pipe[1]);
        std::filesystem::remove_all(shards.parent_path());
    }
    counting_machine(const counting_machine&) = delete;
    counting_machine& operator=(const counting_machine&) = delete;

    /// What was emitted since the last call.
    [[nodiscard]] std::string events() const {
        std::string text(100'000, '\0');
        const auto count = ::read(pipe[0], text.data(), text.size());
        text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
        return text;
    }
    [[nodiscard]] coverage_shard shard() const {
        const auto found = read_shards(shards);
        BOOST_REQUIRE(found.size() == 1U);
        return found.front();
    }
};

const machine_coverage::printed nothing_counted{"vmdsl-coverage 1\nend 0\n", ""};

/// A duty that is due at once and always fails, as a condition that does not hold.
class failing_duty : public wait_duty {
public:
    [[nodiscard]] deadline due() const override { return deadline::in(std::chrono::seconds(0)); }
    void perform() override { throw condition_failed("it does not hold"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(machine_coverage_, counting_machine)

BOOST_AUTO_TEST_CASE(the_supervisor_is_told_what_counts) {
    BOOST_TEST(events().find(R"("event":"coverage","machine":"web","fields":{"counting":true})") != std::string::npos);
    web.begin();
    BOOST_TEST(events().empty());
    web.lose("its power was taken away");
    BOOST_TEST(events().find(R"("counting":false)") != std::string::npos);
    BOOST_TEST(shard().problems.size() == 1U);
    web.end();
    BOOST_TEST(events().empty());
}

BOOST_AUTO_TEST_CASE(an_image_without_builds_counts_nothing) {
    (void)events();
    machine_coverage plain("db", {});
    plain.begin();
    plain.collect(true, [](const auto&, deadline) -> machine_coverage::printed { throw error("nobody asked"); });
    plain.lose("it is gone");
    BOOST_TEST(events().empty());
    BOOST_TEST(!std::filesystem::exists(shards));
}

BOOST_AUTO_TEST_CASE(collecting_has_time_of_its_own) {
    (void)events();
    web.collect(true, [&](const auto&, deadline) {
        BOOST_TEST(events().find(R"("event":"case_time")") != std::string::npos);
        return nothing_counted;
    });
    BOOST_TEST(shard().problems.empty());
}

BOOST_AUTO_TEST_CASE(collecting_is_no_time_for_duties) {
    failing_duty condition;
    const detail::scoped_value<wait_duty*> duty(duty_of_this_thread(), &condition);
    web.collect(true, [](const auto&, deadline) {
        if (auto* const present = duty_of_this_thread(); present != nullptr) {
            present->perform();
        }
        return nothing_counted;
    });
    BOOST_TEST(shard().problems.empty());
    BOOST_TEST(duty_of_this_thread() == &condition);
}

BOOST_AUTO_TEST_CASE(a_disk_that_refuses_is_said_of_the_machine) {
    std::filesystem::create_directories(shards.parent_path());
    std::ofstream(shards) << "no folder";
    (void)events();
    web.lose("its power was taken away");
    const auto text = events();
    BOOST_TEST(text.find(R"("event":"warning","machine":"web")") != std::string::npos);
    BOOST_TEST(text.find("its power was taken away") != std::string::npos);
    BOOST_TEST(text.find("can't make a folder for coverage") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_arrived_before_the_machine_died_is_kept) {
    web.collect(true, [](const auto&, deadline) {
        return machine_coverage::printed{
            "vmdsl-coverage 1\nmissed 7 svnserve does-not-answer\nfile 100 /coverage/own/a.g",
            "it died while a command ran"};
    });
    const auto problems = shard().problems;
    BOOST_REQUIRE(problems.size() == 3U);
    BOOST_TEST(problems[0] == "it died while a command ran");
    BOOST_TEST(problems[1].find("ends after 0 files") != std::string::npos);
    BOOST_TEST(problems[2] == "not flushed: svnserve (process 7) does-not-answer");
}

BOOST_AUTO_TEST_CASE(outside_of_cases_has_a_name) {
    web.lose("its power was taken away");
    BOOST_TEST(shard().test == "(outside of cases)");
}

BOOST_AUTO_TEST_SUITE_END()
