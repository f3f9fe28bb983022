// SPDX-License-Identifier: BSL-1.0
// The client over a real socket, with a QEMU at its other end that goes wrong at each step once.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <vmdsl/core/deadline.hpp>
#include <vmdsl/core/error.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/qemu/memory_file.hpp>
#include <vmdsl/qemu/qmp_client.hpp>

namespace {

using namespace vmdsl;

deadline soon() {
    return deadline::in(std::chrono::seconds(30));
}

constexpr std::string_view greeting = "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n";

/// QEMU's end of the socket.
class fake_qemu {
public:
    explicit fake_qemu(unique_fd socket) : socket_(std::move(socket)) {}

    void say(std::string_view line) {
        while (!line.empty()) {
            const auto sent = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
            BOOST_REQUIRE(sent > 0);
            line.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    void leave() { socket_ = unique_fd(); }

    /// The next command, with the descriptor that came with it.
    boost::json::object next() {
        while (received_.find('\n') == std::string::npos) {
            receive();
        }
        const auto end = received_.find('\n') + 1;
        auto command = boost::json::parse(received_.substr(0, end)).as_object();
        received_.erase(0, end);
        return command;
    }
    void answer(const boost::json::object& command, std::string_view how) {
        say("{" + std::string(how) + ", \"id\": " + boost::json::serialize(command.at("id")) + "}\n");
    }

    unique_fd descriptor;

private:
    void receive() {
        pollfd waiting{socket_.get(), POLLIN, 0};
        BOOST_REQUIRE_MESSAGE(::poll(&waiting, 1, 30000) == 1, "waited in vain for a command");
        std::array<char, 4096> bytes{};
        iovec into{bytes.data(), bytes.size()};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr message{};
        message.msg_iov = &into;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        const auto got = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
        BOOST_REQUIRE(got > 0);
        if (const auto* header = CMSG_FIRSTHDR(&message); header != nullptr) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
            descriptor = unique_fd(fd);
        }
        received_.append(bytes.data(), static_cast<std::size_t>(got));
    }

    unique_fd socket_;
    std::string received_;
};

/// What QEMU does with each of the commands that a start and a save need, in their order.
enum class step { greets, negotiates, runs, takes_a_descriptor, saves };
constexpr step all_steps[] = {step::greets, step::negotiates, step::runs, step::takes_a_descriptor, step::saves};

struct conversation {
    conversation() {
        int ends[2];
        BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        qemu.emplace(unique_fd(ends[1]));
        client.emplace(unique_fd(ends[0]), [this](const qmp_message& event) { events.push_back(event.text); });
    }

    /// What the host does: "" where all went well, else what was thrown.
    std::string start_and_save(std::optional<step> impatient_at = {}) {
        const auto until = [&](step now) {
            return now == impatient_at ? deadline::in(std::chrono::milliseconds(1)) : soon();
        };
        try {
            client->handshake(until(step::greets));
            client->execute("cont", {}, until(step::runs));
            client->send_descriptor("state", make_memory_file("test", 0), until(step::takes_a_descriptor));
            client->execute("migrate", {{"uri", "fd:state"}}, until(step::saves));
            return "";
        } catch (const machine_died& problem) {
            return std::string("died: ") + problem.details().what_failed;
        } catch (const timed_out& problem) {
            return std::string("late: ") + problem.details().what_failed;
        } catch (const error& problem) {
            return std::string("refused: ") + problem.details().what_failed;
        }
    }

    /// QEMU's part, as far as the step before `last`; `otherwise` is done then, with the command that it comes to.
    template <class Otherwise>
    void play(step last, Otherwise&& otherwise) {
        for (const auto now : all_steps) {
            if (now == step::greets) {
                if (now == last) {
                    return otherwise(boost::json::object{});
                }
                qemu->say(greeting);
                continue;
            }
            const auto command = qemu->next();
            if (now == last) {
                return otherwise(command);
            }
            qemu->answer(command, "\"return\": {}");
        }
    }

    std::vector<std::string> events;  ///< The I/O thread's.
    std::optional<fake_qemu> qemu;
    std::optional<qmp_client> client;
};

BOOST_AUTO_TEST_SUITE(qmp_client_test)

BOOST_AUTO_TEST_CASE(a_whole_conversation) {
    conversation it;
    auto host = std::async(std::launch::async, [&] { return it.start_and_save(); });
    it.qemu->say(greeting);
    std::vector<std::string> commands;
    for (int i = 0; i < 4; ++i) {
        const auto command = it.qemu->next();
        commands.emplace_back(command.at("execute").as_string());
        it.qemu->say("{\"event\": \"RESUME\", \"data\": {}, \"timestamp\": {}}\n");
        it.qemu->answer(command, "\"return\": {}");
    }
    BOOST_TEST(host.get() == "");
    BOOST_TEST((commands == std::vector<std::string>{"qmp_capabilities", "cont", "getfd", "migrate"}));
    BOOST_TEST(static_cast<bool>(it.qemu->descriptor));
    it.client.reset();
    BOOST_TEST(it.events.size() == 4U);
}

BOOST_AUTO_TEST_CASE(qemu_goes_away_at_each_step) {
    for (const auto last : all_steps) {
        BOOST_TEST_CONTEXT("at step " << static_cast<int>(last)) {
            conversation it;
            auto host = std::async(std::launch::async, [&] { return it.start_and_save(); });
            it.play(last, [&](const auto&) { it.qemu->leave(); });
            BOOST_TEST(host.get().starts_with("died: QEMU ended "));
            BOOST_TEST(it.start_and_save().starts_with("died: QEMU ended "));  // and stays away
        }
    }
}

BOOST_AUTO_TEST_CASE(it_is_given_up_at_each_step) {
    for (const auto last : all_steps) {
        BOOST_TEST_CONTEXT("at step " << static_cast<int>(last)) {
            conversation it;
            auto host = std::async(std::launch::async, [&] { return it.start_and_save(); });
            it.play(last, [&](const auto&) { it.client->abandon(); });
            BOOST_TEST(host.get().starts_with("died: QEMU ended "));
        }
    }
}

BOOST_AUTO_TEST_CASE(qemu_refuses_at_each_step) {
    for (const auto last : {step::negotiates, step::runs, step::takes_a_descriptor, step::saves}) {
        BOOST_TEST_CONTEXT("at step " << static_cast<int>(last)) {
            conversation it;
            auto host = std::async(std::launch::async, [&] { return it.start_and_save(); });
            std::string name;
            it.play(last, [&](const boost::json::object& command) {
                name = std::string(command.at("execute").as_string());
                it.qemu->answer(command, "\"error\": {\"class\": \"GenericError\", \"desc\": \"not today\"}");
            });
            BOOST_TEST(host.get().starts_with("refused: QEMU refused " + name + ": not today"));
            // It goes on as if nothing had been asked.
            auto again = std::async(std::launch::async, [&] { return it.client->execute("stop", {}, soon()); });
            it.qemu->answer(it.qemu->next(), "\"return\": {\"done\": true}");
            BOOST_TEST(again.get().at("done").as_bool());
        }
    }
}

BOOST_AUTO_TEST_CASE(qemu_is_late_at_each_step) {
    for (const auto last : {step::greets, step::runs, step::takes_a_descriptor, step::saves}) {
        BOOST_TEST_CONTEXT("at step " << static_cast<int>(last)) {
            conversation it;
            auto host = std::async(std::launch::async, [&] { return it.start_and_save(last); });
            boost::json::object unanswered;
            it.play(last, [&](const boost::json::object& command) { unanswered = command; });
            BOOST_TEST(host.get().starts_with("late: QEMU did not answer "));
            if (last != step::greets) {
                it.qemu->answer(unanswered, "\"return\": {}");  // to nobody
                auto again = std::async(std::launch::async, [&] { return it.client->execute("stop", {}, soon()); });
                it.qemu->answer(it.qemu->next(), "\"return\": {\"done\": true}");
                BOOST_TEST(again.get().at("done").as_bool());
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(qemu_says_what_is_not_qmp_at_each_step) {
    for (const auto last : all_steps) {
        BOOST_TEST_CONTEXT("at step " << static_cast<int>(last)) {
            conversation it;
            auto host = std::async(std::launch::async, [&] { return it.start_and_save(); });
            it.play(last, [&](const boost::json::object& command) {
                it.qemu->say("Segmentation fault\n{\"return\": {}, \"id\": 4711}\n{]\n");
                if (last == step::greets) {
                    it.qemu->say(greeting);
                } else {
                    it.qemu->answer(command, "\"return\": {}");
                }
                it.qemu->leave();
            });
            // The answer that it waited for is taken all the same; what comes then is missed.
            const auto said = host.get();
            BOOST_TEST((last == step::saves ? said.empty() : said.starts_with("died: QEMU ended ")));
        }
    }
}

// Its socket is full, the caller gives up and closes the file; what was asked for is still sent, with that file.
BOOST_AUTO_TEST_CASE(a_descriptor_lives_until_it_is_sent) {
    conversation it;
    const auto give_up = [] { return deadline::in(std::chrono::seconds(0)); };
    BOOST_CHECK_THROW(it.client->execute("long", {{"text", std::string(1 << 20, 'x')}}, give_up()), timed_out);
    BOOST_CHECK_THROW(it.client->send_descriptor("state", make_memory_file("test", 4711), give_up()), timed_out);
    BOOST_TEST(it.qemu->next().at("execute").as_string() == "long");
    BOOST_TEST(it.qemu->next().at("execute").as_string() == "getfd");
    struct stat file {};
    BOOST_REQUIRE(::fstat(it.qemu->descriptor.get(), &file) == 0);
    BOOST_TEST(file.st_size == 4711);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
