// SPDX-License-Identifier: BSL-1.0
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/qemu/machine_process.hpp>
#include <vmdsl/qemu/memory_file.hpp>

using namespace vmdsl;

namespace {

/// A program that says it is QEMU, and ends as soon as a machine is wanted.
struct refusing_qemu {
    refusing_qemu() {
        const auto path = current_run().scratch_directory / "refusing-qemu";
        std::ofstream(path)
            << "#!/usr/bin/env bash\n"
               "[ \"$1\" = --version ] && exec echo 'QEMU emulator version 7.2.0'\n"
               "[ -n \"$VMDSL_TEST_HANG\" ] && exec sleep 60\n"
               "for word; do case $word in *id=console*fd=*) echo hello >&\"${word##*fd=}\";; esac; done\n"
               "echo 'not today'\nexit 3\n";
        std::filesystem::permissions(path, std::filesystem::perms::owner_all);
        ::setenv("VMDSL_QEMU", path.c_str(), 1);
    }
    ~refusing_qemu() { ::unsetenv("VMDSL_QEMU"); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(machine_process_test, refusing_qemu)

BOOST_AUTO_TEST_CASE(after_a_start_that_failed_no_handler_is_called_and_none_still_runs) {
    const auto memory = make_memory_file("test", 1 << 20);
    std::atomic<bool> exited{false};
    std::atomic<bool> running{false};
    machine_handlers handlers;
    handlers.console = [&](std::string_view) {
        running = true;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));  // is waited for
        running = false;
    };
    handlers.exited = [&](const child_exit&) { exited = true; };
    BOOST_CHECK_EXCEPTION(machine_process({}, memory, {}, std::move(handlers), deadline::in(std::chrono::seconds(30))),
                          could_not_run, [](const could_not_run& e) {
                              const std::string text = e.what();
                              return text.find("exited with code 3") != std::string::npos &&
                                     text.find("not today") != std::string::npos;
                          });
    BOOST_TEST(!running);
    BOOST_TEST(!exited);  // the exception has said so
}

BOOST_AUTO_TEST_CASE(one_that_says_nothing_is_given_up) {
    ::setenv("VMDSL_TEST_HANG", "1", 1);
    const auto memory = make_memory_file("test", 1 << 20);
    std::atomic<bool> exited{false};
    machine_handlers handlers;
    handlers.exited = [&](const child_exit&) { exited = true; };
    BOOST_CHECK_THROW(
        machine_process({}, memory, {}, std::move(handlers), deadline::in(std::chrono::milliseconds(100))), timed_out);
    BOOST_TEST(!exited);
    ::unsetenv("VMDSL_TEST_HANG");
}

BOOST_AUTO_TEST_SUITE_END()
