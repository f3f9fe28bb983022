// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <agent/fields.hpp>
#include <agent/netlink.hpp>
#include <agent/text.hpp>

namespace vmdsl::agent {

/// Makes the machine the one that the host says it is, and makes it so again after a restore.
class machine_setup {
public:
    /// `root` stands in front of the files that are written; without `touch_system` nothing else is changed.
    machine_setup(std::string_view root, bool touch_system) : root_(root), touch_system_(touch_system) {}

    /// A `configure` frame's payload. What did not work is added to `errors` as error_text, and the rest is done.
    void configure(std::span<const std::byte> payload, fields& errors);
    /// A `resume` frame's payload: wall clock, random numbers, and where asked for the network is told where we are.
    void resume(std::span<const std::byte> payload);

private:
    /// What can be announced after a resume.
    struct known_address {
        int interface_index = 0;
        std::uint8_t hardware_address[6]{};
        interface_address address;
    };
    static constexpr std::size_t most_addresses = 64;

    void set_host_name(std::string_view name, fields& errors);
    void write_file(std::string_view path, std::string_view content, mode_t mode, fields& errors);
    void set_interface(std::string_view line, fields& errors);
    void add_address(netlink& kernel, int interface_index, const std::uint8_t (&hardware_address)[6],
                     std::string_view word, fields& errors);
    void announce_addresses();

    text root_;
    bool touch_system_;
    known_address addresses_[most_addresses];
    std::size_t address_count_ = 0;
};

}  // namespace vmdsl::agent
