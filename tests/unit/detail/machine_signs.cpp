// SPDX-License-Identifier: BSL-1.0
#include <chrono>
#include <functional>
#include <string>
#include <thread>
#include <utility>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/wait_duty.hpp>
#include <vmdsl/detail/machine_signs.hpp>

namespace {

using namespace vmdsl;
using detail::machine_signs;

deadline at_once() {
    return deadline::in(std::chrono::nanoseconds(0));
}
deadline soon() {
    return deadline::in(std::chrono::seconds(30));
}

error_details death() {
    error_details d;
    d.machine = "box";
    d.what_failed = "it died";
    return d;
}

/// Something that happens on this thread as soon as it waits.
class once_it_waits : public wait_duty {
public:
    explicit once_it_waits(std::function<void()> work) : work_(std::move(work)) { duty_of_this_thread() = this; }
    ~once_it_waits() override { duty_of_this_thread() = nullptr; }

    [[nodiscard]] deadline due() const override { return work_ ? at_once() : deadline::never(); }
    void perform() override { std::exchange(work_, nullptr)(); }

private:
    std::function<void()> work_;
};

BOOST_AUTO_TEST_SUITE(machine_signs_test)

BOOST_AUTO_TEST_CASE(each_wait_goes_on_where_the_last_one_ended) {
    machine_signs signs;
    signs.take_console("one\r\ntwo thr");
    signs.take_console("ee\n\nfour");
    BOOST_TEST(signs.await_line("two", at_once()).value() == "two three");
    BOOST_TEST(!signs.await_line("one", at_once()).has_value());
    BOOST_TEST(signs.await_line("three", at_once()).value() == " three");
    BOOST_TEST(signs.await_line("fo", at_once()).value() == "four");  // a prompt has no end of line
    signs.take_console("teen\n");
    BOOST_TEST(signs.await_line("teen", at_once()).value() == "urteen");
}

BOOST_AUTO_TEST_CASE(a_line_is_whole_although_it_comes_in_pieces) {
    machine_signs signs;
    signs.take_console("eth0: li");
    {
        const once_it_waits rest([&] { signs.take_console("nk up\nnext\n"); });
        BOOST_TEST(signs.await_line("eth", soon()).value() == "eth0: link up");
    }
    BOOST_TEST(signs.await_line("link", at_once()).value() == "0: link up");  // what followed the text is left
    signs.take_console("eth1: li");
    {
        const once_it_waits rest([&] { signs.take_console("nk up\nlast\n"); });
        BOOST_TEST(signs.await_line(matching("eth1: .*"), soon()).value() == "eth1: link up");
    }
    BOOST_TEST(!signs.await_line("link", at_once()).has_value());  // all of it was the text
    BOOST_TEST(signs.await_line("last", at_once()).has_value());
}

BOOST_AUTO_TEST_CASE(a_prompt_is_returned_as_it_is) {
    machine_signs signs;
    signs.take_console("login: ");
    BOOST_TEST(signs.await_line("login:", soon()).value() == "login: ");
    signs.take_console("root\n");
    BOOST_TEST(signs.await_line("root", at_once()).value() == " root");
}

// It took minutes when every piece had all lines looked at again.
BOOST_AUTO_TEST_CASE(a_long_boot_is_looked_at_once) {
    machine_signs signs;
    std::jthread guest([&] {
        for (int i = 0; i < 20'000; ++i) {
            signs.take_console("[" + std::to_string(i) + "] kernel: something happened\n");
            std::this_thread::yield();
        }
        signs.take_console("login: ");
    });
    BOOST_TEST(signs.await_line(matching("(login|password): $"), soon()).has_value());
}

BOOST_AUTO_TEST_CASE(text_that_comes_in_the_meantime_ends_the_wait) {
    machine_signs signs;
    std::jthread guest([&] { signs.take_console("late\n"); });
    BOOST_TEST(signs.await_line("late", soon()).value() == "late");
}

BOOST_AUTO_TEST_CASE(death_ends_a_wait_but_last_words_can_be_taken) {
    machine_signs signs;
    signs.take_console("last words\n");
    std::jthread guest([&] { signs.end(death()); });
    BOOST_CHECK_THROW((void)signs.await_line("never", soon()), machine_died);
    BOOST_TEST(signs.await_line("last words", soon()).has_value());
    BOOST_CHECK_THROW((void)signs.await_event("RESET", soon()), machine_died);
    signs.begin();
    BOOST_TEST(!signs.await_line("never", at_once()).has_value());
}

BOOST_AUTO_TEST_CASE(events_are_taken_once_and_in_order) {
    machine_signs signs;
    signs.take_event("RESET", "{\"n\":1}");
    signs.take_event("STOP", "{}");
    signs.take_event("RESET", "{\"n\":2}");
    BOOST_TEST(signs.await_event("STOP", at_once()).value() == "{}");
    BOOST_TEST(signs.await_event("RESET", at_once()).value() == "{\"n\":1}");
    BOOST_TEST(signs.await_event("RESET", at_once()).value() == "{\"n\":2}");
    BOOST_TEST(!signs.await_event("RESET", at_once()).has_value());
}

BOOST_AUTO_TEST_CASE(memory_is_bounded) {
    machine_signs signs;
    signs.take_console("first\n");
    const std::string junk(100'000, 'x');
    for (int i = 0; i < 30; ++i) {
        signs.take_console(junk);
        signs.take_event("NOISE", "{}");
    }
    for (int i = 0; i < 2000; ++i) {
        signs.take_event("NOISE", "{}");
    }
    signs.take_console("\nlast\n");
    BOOST_TEST(!signs.await_line("first", at_once()).has_value());
    BOOST_TEST(signs.await_line("last", at_once()).has_value());
    std::size_t events = 0;
    while (signs.await_event("NOISE", at_once())) {
        ++events;
    }
    BOOST_TEST(events == machine_signs::max_events);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
