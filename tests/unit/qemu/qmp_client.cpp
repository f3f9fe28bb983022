// SPDX-License-Identifier: BSL-1.0
// The client over a real socket; at its other end is nobody, or somebody who reads late.
#include <chrono>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <vmdsl/core/error.hpp>
#include <vmdsl/process/unique_fd.hpp>
#include <vmdsl/qemu/memory_file.hpp>
#include <vmdsl/qemu/qmp_client.hpp>

using namespace vmdsl;

namespace {

deadline at_once() {
    return deadline::in(std::chrono::milliseconds(1));
}

/// Reads until a descriptor comes.
unique_fd receive_descriptor(const unique_fd& socket) {
    for (;;) {
        pollfd waiting{socket.get(), POLLIN, 0};
        BOOST_REQUIRE_MESSAGE(::poll(&waiting, 1, 30000) == 1, "waited in vain for a descriptor");
        char buffer[65536];
        iovec room{buffer, sizeof buffer};
        alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
        msghdr message{};
        message.msg_iov = &room;
        message.msg_iovlen = 1;
        message.msg_control = control;
        message.msg_controllen = sizeof control;
        BOOST_REQUIRE(::recvmsg(socket.get(), &message, MSG_CMSG_CLOEXEC) > 0);
        if (const auto* header = CMSG_FIRSTHDR(&message)) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
            return unique_fd(fd);
        }
    }
}

ino_t file_behind(const unique_fd& fd) {
    struct stat status {};
    BOOST_REQUIRE(::fstat(fd.get(), &status) == 0);
    return status.st_ino;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qmp_client_test)

BOOST_AUTO_TEST_CASE(a_descriptor_on_its_way_is_the_one_that_was_given) {
    int ends[2];
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    qmp_client client{unique_fd(ends[0]), nullptr};
    const unique_fd qemu(ends[1]);
    // More than the socket takes: what comes after has to wait.
    BOOST_CHECK_THROW(client.execute("x", {{"text", std::string(8U << 20U, 'x')}}, at_once()), timed_out);
    auto given = make_memory_file("given", 1);
    const auto number = given.get();
    const auto file = file_behind(given);
    BOOST_CHECK_THROW(client.send_descriptor("state", given, at_once()), timed_out);
    const auto other = make_memory_file("another", 1);
    given.reset();
    const unique_fd another(::fcntl(other.get(), F_DUPFD_CLOEXEC, number));
    BOOST_REQUIRE(another.get() == number);
    BOOST_TEST(file_behind(receive_descriptor(qemu)) == file);
}

BOOST_AUTO_TEST_SUITE_END()
