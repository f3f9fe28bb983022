// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <set>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <vmdsl/core/error.hpp>
#include <vmdsl/core/run_options.hpp>
#include <vmdsl/process/control_channel.hpp>

namespace vmdsl::detail {

inline constexpr std::size_t longest_control_message = 1U << 20U;
inline constexpr std::string_view control_socket_name = "network.sock";

/// Sends all of it, whatever the socket takes at once.
inline bool send_whole(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const auto n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        bytes.remove_prefix(n < 0 ? 0 : static_cast<std::size_t>(n));
    }
    return true;
}

inline bool receive_whole(int socket, char* to, std::size_t size) {
    while (size > 0) {
        const auto n = ::recv(socket, to, size, 0);
        if (n == 0 || (n < 0 && errno != EINTR)) {
            return false;
        }
        to += std::max<ssize_t>(n, 0);
        size -= static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    }
    return true;
}

inline std::string control_bytes(control_kind kind, std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    std::string bytes(1 + sizeof size, static_cast<char>(kind));
    std::memcpy(bytes.data() + 1, &size, sizeof size);  // both sides are on one host
    return bytes.append(text);
}

VMDSL_DECL bool control_channel::send(control_kind kind, std::string_view text) {
    const auto bytes = control_bytes(kind, text);
    const std::lock_guard lock(sending_);
    return send_whole(socket_.get(), bytes);
}

VMDSL_DECL void control_channel::queue(control_kind kind, std::string_view text) {
    queued_ += control_bytes(kind, text);
}

VMDSL_DECL void control_channel::send_queued() {
    while (!queued_.empty()) {
        const auto n = ::send(socket_.get(), queued_.data(), queued_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0) {
            queued_.erase(0, static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            queued_.clear();
        }
    }
}

VMDSL_DECL std::optional<control_message> control_channel::receive() {
    std::array<char, 5> head{};
    if (!receive_whole(socket_.get(), head.data(), head.size())) {
        return std::nullopt;
    }
    std::uint32_t size = 0;
    std::memcpy(&size, head.data() + 1, sizeof size);
    control_message message{static_cast<control_kind>(head[0]), {}};
    if (size > longest_control_message) {
        return std::nullopt;
    }
    message.text.resize(size);
    if (!receive_whole(socket_.get(), message.text.data(), size)) {
        return std::nullopt;
    }
    return message;
}

VMDSL_DECL bool control_channel::other_side_is_gone() const noexcept {
    pollfd entry{socket_.get(), POLLRDHUP, 0};
    return ::poll(&entry, 1, 0) == 1;
}

VMDSL_DECL void control_channel::stop_receiving() noexcept {
    ::shutdown(socket_.get(), SHUT_RD);
}

/// The socket's address below an open folder: a path of any length would not fit.
inline sockaddr_un control_address(int folder) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto path = "/proc/self/fd/" + std::to_string(folder) + "/" + std::string(control_socket_name);
    std::copy(path.begin(), path.end(), std::begin(address.sun_path));
    return address;
}

inline unique_fd open_own_folder(const std::filesystem::path& folder) {
    unique_fd fd(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat found {};
    if (fd && ::fstat(fd.get(), &found) == 0 && found.st_uid != ::geteuid()) {
        errno = EACCES;
        fd.reset();
    }
    return fd;
}

template <class Call>
unique_fd make_control_socket(const std::filesystem::path& folder, const char* what, Call&& call) {
    const auto parent = open_own_folder(folder);
    unique_fd fd;
    if (parent) {
        fd.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const auto address = control_address(parent.get());
        if (!fd || call(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            fd.reset();
        }
    }
    if (!fd) {
        throw could_not_run(std::string(what) + " " + (folder / control_socket_name).string() + ": " +
                            std::strerror(errno));
    }
    return fd;
}

VMDSL_DECL unique_fd listen_for_control(const std::filesystem::path& folder) {
    return make_control_socket(folder, "can't listen on", [](int fd, const sockaddr* address, socklen_t size) {
        // Not for a moment anybody else's, whatever the umask is.
        return ::fchmod(fd, 0600) != 0 || ::bind(fd, address, size) != 0 ? -1 : ::listen(fd, 16);
    });
}

/// Whether there may be room again soon: for descriptors, or for what the kernel keeps of a connection.
inline bool is_passing_shortage(int error_number) {
    return error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS || error_number == ENOMEM;
}

VMDSL_DECL unique_fd accept_control(const unique_fd& listener) {
    for (;;) {
        unique_fd fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        ucred peer{};
        socklen_t size = sizeof peer;
        if (fd && ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid()) {
            return fd;
        }
        if (!fd && is_passing_shortage(errno)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        } else if (!fd && errno != EINTR && errno != ECONNABORTED) {
            throw could_not_run(std::string("can't be asked any more: ") + std::strerror(errno));
        }
    }
}

VMDSL_DECL unique_fd connect_to_control(const std::filesystem::path& folder) {
    return make_control_socket(
        folder, "no running network can be asked at",
        [](int fd, const sockaddr* address, socklen_t size) { return ::connect(fd, address, size); });
}

/// As `connect`, and nothing that is done with the socket takes longer than two seconds: a network answers at once,
/// unless somebody has stopped its process.
inline int connect_with_patience(int fd, const sockaddr* address, socklen_t size) {
    const timeval patience{2, 0};
    for (const int direction : {SO_SNDTIMEO, SO_RCVTIMEO}) {
        if (::setsockopt(fd, SOL_SOCKET, direction, &patience, sizeof patience) != 0) {
            return -1;
        }
    }
    return ::connect(fd, address, size);
}

/// Asks who listens there; empty where nobody does, or does not answer.
inline std::optional<running_network> ask_about(const std::filesystem::path& folder, std::string id) {
    try {
        control_channel channel(make_control_socket(folder, "nobody answers at", &connect_with_patience));
        const auto answer = channel.send(control_kind::about) ? channel.receive() : std::nullopt;
        if (!answer || answer->kind != control_kind::output) {
            return std::nullopt;
        }
        const std::string_view text = answer->text;
        running_network found{std::move(id), folder, std::string(text.substr(0, text.find('\n'))), -1};
        const auto number = text.substr(std::min(text.find('\n') + 1, text.size()));
        std::from_chars(number.data(), number.data() + number.size(), found.pid);
        return found;
    } catch (const could_not_run&) {
        return std::nullopt;
    }
}

inline void find_networks_below(const std::filesystem::path& base, std::vector<running_network>& found) {
    const auto prefix = scratch_prefix();
    std::error_code ec;
    for (std::filesystem::directory_iterator run(base, ec), end; !ec && run != end; run.increment(ec)) {
        const auto name = run->path().filename().string();
        if (!name.starts_with(prefix) || name.size() == prefix.size()) {
            continue;
        }
        std::error_code inner;
        for (std::filesystem::directory_iterator worker(run->path(), inner); !inner && worker != end;
             worker.increment(inner)) {
            if (!std::filesystem::is_socket(worker->path() / control_socket_name, inner)) {
                inner.clear();
                continue;
            }
            if (auto network = ask_about(worker->path(), name.substr(prefix.size()))) {
                found.push_back(*std::move(network));
            }
        }
    }
}

VMDSL_DECL std::vector<running_network> find_running_networks() {
    std::set<std::filesystem::path> bases{scratch_base(), "/tmp"};
    if (const auto text = environment_text("TMPDIR"); !text.empty()) {
        bases.insert(std::filesystem::absolute(text).lexically_normal());
    }
    std::vector<running_network> found;
    for (const auto& base : bases) {
        find_networks_below(base, found);
    }
    std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return found;
}

}  // namespace vmdsl::detail
