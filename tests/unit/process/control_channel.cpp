// SPDX-License-Identifier: BSL-1.0
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/control_channel.hpp>
#include <vmdsl/process/scratch_dir.hpp>

namespace {

using namespace vmdsl;
using detail::control_channel;
using detail::control_kind;

struct two_ends {
    explicit two_ends(const std::array<int, 2>& fds = make()) : one(unique_fd(fds[0])), other(unique_fd(fds[1])) {}

    static std::array<int, 2> make() {
        std::array<int, 2> fds{};
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
        return fds;
    }

    control_channel one;
    control_channel other;
};

/// A scratch folder of a run, found by way of $VMDSL_SCRATCH_DIR.
struct scratch_of_a_run {
    scratch_of_a_run() {
        worker = base / (detail::scratch_prefix() + id) / std::string(90, 'w');  // longer than a socket's path may be
        std::filesystem::create_directories(worker);
        ::setenv(detail::scratch_base_variable, base.c_str(), 1);
    }
    ~scratch_of_a_run() { ::unsetenv(detail::scratch_base_variable); }
    scratch_of_a_run(const scratch_of_a_run&) = delete;
    scratch_of_a_run& operator=(const scratch_of_a_run&) = delete;

    [[nodiscard]] bool is_found() const {
        for (const auto& each : detail::find_running_networks()) {
            if (each.id == id) {
                BOOST_TEST(each.folder == worker);
                BOOST_TEST(each.program == "spec");
                BOOST_TEST(each.pid == 17);
                return true;
            }
        }
        return false;
    }

    const std::string id = "test" + std::to_string(::getpid());
    scratch_dir scratch{std::filesystem::temp_directory_path(), "control-" + detail::make_run_id()};
    std::filesystem::path base = scratch.path();
    std::filesystem::path worker;
};

BOOST_AUTO_TEST_SUITE(control_channel_)

BOOST_AUTO_TEST_CASE(messages_come_as_they_were_sent) {
    two_ends ends;
    const std::string bytes("\0\n\xff", 3);
    BOOST_TEST(ends.one.send(control_kind::request, "line"));
    BOOST_TEST(ends.one.send(control_kind::input, bytes));
    BOOST_TEST(ends.one.send(control_kind::input_end));
    auto message = ends.other.receive();
    BOOST_REQUIRE(message.has_value());
    BOOST_TEST((message->kind == control_kind::request));
    BOOST_TEST(message->text == "line");
    message = ends.other.receive();
    BOOST_TEST((message && message->kind == control_kind::input && message->text == bytes));
    message = ends.other.receive();
    BOOST_TEST((message && message->kind == control_kind::input_end && message->text.empty()));
}

BOOST_AUTO_TEST_CASE(a_message_that_is_longer_than_the_sockets_buffer_arrives_whole) {
    two_ends ends;
    const std::string text(1U << 20U, 'x');
    std::thread sender([&] { BOOST_TEST(ends.one.send(control_kind::output, text)); });
    const auto message = ends.other.receive();
    sender.join();
    BOOST_TEST((message && message->text == text));
}

BOOST_AUTO_TEST_CASE(what_is_queued_goes_as_the_other_side_takes_it) {
    two_ends ends;
    const std::string text(1U << 20U, 'x');
    ends.one.queue(control_kind::input, text);
    ends.one.queue(control_kind::input_end);
    ends.one.send_queued();  // returns, though nobody has taken anything
    BOOST_TEST(ends.one.has_queued());
    std::thread receiver([&] {
        const auto message = ends.other.receive();
        BOOST_TEST((message && message->kind == control_kind::input && message->text == text));
        const auto next = ends.other.receive();
        BOOST_TEST((next && next->kind == control_kind::input_end));
    });
    while (ends.one.has_queued()) {
        pollfd entry{ends.one.descriptor(), POLLOUT, 0};
        ::poll(&entry, 1, -1);
        ends.one.send_queued();
    }
    receiver.join();
}

BOOST_AUTO_TEST_CASE(nothing_stays_queued_for_somebody_who_is_gone) {
    two_ends ends;
    ::shutdown(ends.other.descriptor(), SHUT_RDWR);
    ends.one.queue(control_kind::input, "x");
    ends.one.send_queued();
    BOOST_TEST(!ends.one.has_queued());
    BOOST_TEST(!ends.one.receive().has_value());
}

BOOST_AUTO_TEST_CASE(the_other_sides_end_is_noticed) {
    two_ends ends;
    ::shutdown(ends.one.descriptor(), SHUT_RDWR);
    BOOST_TEST(!ends.other.receive().has_value());
    BOOST_TEST(!ends.other.send(control_kind::output, "x"));
}

BOOST_AUTO_TEST_CASE(the_other_sides_end_is_noticed_behind_what_it_sent_before) {
    auto fds = two_ends::make();
    control_channel stays{unique_fd(fds[0])};
    {
        control_channel leaves{unique_fd(fds[1])};
        BOOST_TEST(leaves.send(control_kind::input, "x"));
        BOOST_TEST(!stays.other_side_is_gone());
    }
    BOOST_TEST(stays.other_side_is_gone());
    BOOST_TEST(stays.receive().has_value());
}

BOOST_AUTO_TEST_CASE(what_is_no_message_is_not_waited_for) {
    two_ends ends;
    const std::string head("r\xff\xff\xff\xff", 5);
    BOOST_TEST(::write(ends.one.descriptor(), head.data(), head.size()) == 5);
    BOOST_TEST(!ends.other.receive().has_value());
}

BOOST_AUTO_TEST_CASE(a_thread_that_waits_can_be_called_back) {
    two_ends ends;
    std::thread waiting([&] { BOOST_TEST(!ends.other.receive().has_value()); });
    ends.other.stop_receiving();
    waiting.join();
    BOOST_TEST(ends.other.send(control_kind::done, "0"));
}

BOOST_FIXTURE_TEST_CASE(a_network_is_found_while_somebody_answers, scratch_of_a_run) {
    BOOST_TEST(!is_found());
    {
        const auto listener = detail::listen_for_control(worker);
        struct stat found {};
        BOOST_REQUIRE(::stat((worker / "network.sock").c_str(), &found) == 0);
        BOOST_TEST((found.st_mode & 0777U) == 0600U);
        std::thread answering([&] {
            control_channel asked(detail::accept_control(listener));
            const auto question = asked.receive();
            BOOST_TEST((question && question->kind == control_kind::about));
            asked.send(control_kind::output, "spec\n17");
        });
        BOOST_TEST(is_found());
        answering.join();
    }
    BOOST_TEST(!is_found());  // its socket is still there, and nobody listens
    BOOST_CHECK_THROW((void)detail::connect_to_control(worker), could_not_run);
}

BOOST_FIXTURE_TEST_CASE(a_network_that_does_not_answer_is_not_waited_for, scratch_of_a_run) {
    const auto listener = detail::listen_for_control(worker);
    BOOST_TEST(!is_found());
}

BOOST_FIXTURE_TEST_CASE(a_shortage_of_descriptors_passes, scratch_of_a_run) {
    const auto listener = detail::listen_for_control(worker);
    control_channel person(detail::connect_to_control(worker));
    rlimit before{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const auto next = static_cast<rlim_t>(unique_fd(::dup(0)).get());
    const rlimit none_left{next, before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none_left) == 0);
    auto accepted = std::async(std::launch::async, [&] { return detail::accept_control(listener); });
    const bool waits = accepted.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout;
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    BOOST_TEST(waits);
    BOOST_TEST(static_cast<bool>(accepted.get()));
}

BOOST_AUTO_TEST_CASE(a_folder_that_is_not_ours_is_not_trusted) {
    if (::geteuid() == 0) {
        return;  // everything is ours
    }
    BOOST_CHECK_THROW((void)detail::connect_to_control("/"), could_not_run);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
