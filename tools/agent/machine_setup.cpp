// SPDX-License-Identifier: BSL-1.0
#include <cstring>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <agent/announce.hpp>
#include <agent/clock.hpp>
#include <agent/console.hpp>
#include <agent/fd.hpp>
#include <agent/machine_setup.hpp>
#include <agent/small_file.hpp>

namespace vmdsl::agent {

namespace {

void add_error(fields& errors, std::string_view what, int error) {
    errors.put(wire::tag::error_text, join({what, ": ", error_text(error)}));
}

/// 0, or errno.
int set_wall_clock(std::uint64_t nanoseconds) {
    const timespec time{static_cast<time_t>(nanoseconds / nanoseconds_per_second),
                        static_cast<long>(nanoseconds % nanoseconds_per_second)};
    return ::clock_settime(CLOCK_REALTIME, &time) == 0 ? 0 : errno;
}

bool is_off_by_a_second(std::uint64_t nanoseconds) {
    const std::uint64_t now = clock_nanoseconds(CLOCK_REALTIME);
    return (now > nanoseconds ? now - nanoseconds : nanoseconds - now) > nanoseconds_per_second;
}

/// Mixes the host's entropy in, counts it, and makes the kernel use it at once. 0, or errno.
int reseed_random(std::span<const std::byte> entropy) {
    constexpr std::size_t most = 512;
    alignas(rand_pool_info) std::byte pool[sizeof(rand_pool_info) + most];
    const unique_fd random{::open("/dev/urandom", O_RDWR | O_CLOEXEC)};
    if (!random) {
        return errno;
    }
    const std::size_t size = entropy.size() < most ? entropy.size() : most;
    const int head[2] = {static_cast<int>(size * 8), static_cast<int>(size)};  // entropy_count, buf_size
    std::memcpy(pool, head, sizeof head);
    std::memcpy(pool + sizeof head, entropy.data(), size);
    if (::ioctl(random.get(), RNDADDENTROPY, pool) != 0 || ::ioctl(random.get(), RNDRESEEDCRNG) != 0) {
        return errno;
    }
    return 0;
}

bool parse_hardware_address(std::string_view from, std::uint8_t (&to)[6]) {
    for (auto& byte : to) {
        if (!parse_number(take_word(from, ":"), byte, 16)) {
            return false;
        }
    }
    return from.empty();
}

/// The index of the interface with this hardware address; its name as well. 0 where there is none.
int find_interface(const std::uint8_t (&hardware_address)[6], text& name) {
    DIR* folder = ::opendir("/sys/class/net");
    if (folder == nullptr) {
        return 0;
    }
    int index = 0;
    while (const dirent* entry = ::readdir(folder)) {
        std::uint8_t found[6];
        const text file = join({"/sys/class/net/", entry->d_name, "/address"});
        if (entry->d_name[0] != '.' && parse_hardware_address(read_small_file(file.c_str()), found) &&
            std::memcmp(found, hardware_address, sizeof found) == 0) {
            name = text{entry->d_name};
            index = static_cast<int>(::if_nametoindex(entry->d_name));
            break;
        }
    }
    ::closedir(folder);
    return index;
}

}  // namespace

void machine_setup::write_file(std::string_view path, std::string_view content, mode_t mode, fields& errors) {
    if (!touch_system_ && root_.empty()) {
        return;
    }
    const text folder = join({root_, "/etc"});
    const text file = join({root_, path});
    ::mkdir(folder.c_str(), 0755);
    if (const int error = replace_file(file.c_str(), content, mode); error != 0) {
        add_error(errors, path, error);
    }
}

void machine_setup::set_host_name(std::string_view name, fields& errors) {
    if (touch_system_ && ::sethostname(name.data(), name.size()) != 0) {
        add_error(errors, "host name", errno);
    }
    write_file("/etc/hostname", join({name, "\n"}), 0644, errors);
}

void machine_setup::add_address(netlink& kernel, int interface_index, const std::uint8_t (&hardware_address)[6],
                                std::string_view word, fields& errors) {
    known_address known;
    if (!parse_interface_address(word, known.address)) {
        errors.put(wire::tag::error_text, join({"\"", word, "\" is no address with a prefix length"}));
        return;
    }
    if (const int error = kernel.add_address(interface_index, known.address); error != 0) {
        add_error(errors, word, error);
        return;
    }
    known.interface_index = interface_index;
    std::memcpy(known.hardware_address, hardware_address, sizeof hardware_address);
    if (address_count_ < most_addresses) {
        addresses_[address_count_++] = known;
    }
}

void machine_setup::set_interface(std::string_view line, fields& errors) {
    if (!touch_system_) {
        return;
    }
    const auto hardware_text = take_word(line);
    std::uint8_t hardware_address[6];
    text name;
    const int index =
        parse_hardware_address(hardware_text, hardware_address) ? find_interface(hardware_address, name) : 0;
    if (index == 0) {
        errors.put(wire::tag::error_text, join({"there is no network interface ", hardware_text}));
        return;
    }
    // The link-local address, too, shall be usable at once.
    write_kernel_file(join({"/proc/sys/net/ipv6/conf/", name, "/accept_dad"}).c_str(), "0");
    netlink kernel;
    if (const int error = kernel.bring_up(index); error != 0) {
        add_error(errors, hardware_text, error);
    }
    for (auto word = take_word(line); !word.empty(); word = take_word(line)) {
        add_address(kernel, index, hardware_address, word, errors);
    }
}

void machine_setup::configure(std::span<const std::byte> payload, fields& errors) {
    if (wire::has_field(payload, wire::tag::interface)) {
        address_count_ = 0;
    }
    if (touch_system_) {
        netlink kernel;
        if (const int error = kernel.bring_up(static_cast<int>(::if_nametoindex("lo"))); error != 0) {
            add_error(errors, "lo", error);
        }
    }
    for (wire::field field; wire::next_field(payload, field);) {
        switch (field.tag) {
            case wire::tag::host_name:
                set_host_name(field.text(), errors);
                break;
            case wire::tag::machine_id:
                write_file("/etc/machine-id", join({field.text(), "\n"}), 0444, errors);
                break;
            case wire::tag::interface:
                set_interface(field.text(), errors);
                break;
            case wire::tag::hosts:
                write_file("/etc/hosts",
                           join({"127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n", field.text()}),
                           0644, errors);
                break;
            case wire::tag::wall_time:
                if (touch_system_ && is_off_by_a_second(field.number())) {
                    if (const int error = set_wall_clock(field.number()); error != 0) {
                        add_error(errors, "wall clock", error);
                    }
                }
                break;
            case wire::tag::entropy:
                if (touch_system_) {
                    if (const int error = reseed_random(field.value); error != 0) {
                        add_error(errors, "random number generator", error);
                    }
                }
                break;
            default:
                break;
        }
    }
}

void machine_setup::resume(std::span<const std::byte> payload) {
    if (!touch_system_) {
        return;
    }
    if (const auto time = wire::find_field(payload, wire::tag::wall_time); !time.value.empty()) {
        if (const int error = set_wall_clock(time.number()); error != 0) {
            say({"cannot set the wall clock: ", error_text(error)});
        }
    }
    if (const auto entropy = wire::find_field(payload, wire::tag::entropy); !entropy.value.empty()) {
        if (const int error = reseed_random(entropy.value); error != 0) {
            say({"cannot reseed the random number generator: ", error_text(error)});
        }
    }
    if (wire::has_field(payload, wire::tag::announce)) {
        announce_addresses();
    }
}

void machine_setup::announce_addresses() {
    for (std::size_t i = 0; i < address_count_; ++i) {
        const auto& known = addresses_[i];
        if (const int error = announce_address(known.interface_index, known.hardware_address, known.address);
            error != 0) {
            say({"cannot announce an address: ", error_text(error)});
        }
    }
}

}  // namespace vmdsl::agent
