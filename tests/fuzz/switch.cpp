// SPDX-License-Identifier: BSL-1.0
// Any frames from any ports, and a table that is much too small. The table is compared with a simple one.
#include <algorithm>
#include <cstdint>
#include <list>
#include <set>
#include <vector>

#include <vmdsl/net/mac_table.hpp>
#include <vmdsl/net/switch.hpp>

#include <fuzz/fuzz_input.hpp>

namespace {

using namespace vmdsl;

constexpr std::size_t capacity = 5;

mac_address station(std::uint8_t number) {
    const std::byte bytes[6] = {std::byte{number} & std::byte{1}, {}, {}, {}, {}, std::byte{number}};
    return mac_address(std::span<const std::byte, 6>(bytes));
}

/// The newest first.
struct simple_table {
    struct entry {
        mac_address station;
        switch_port port;
    };
    std::list<entry> entries;

    [[nodiscard]] auto lookup(mac_address which) {
        return std::find_if(entries.begin(), entries.end(), [&](const entry& e) { return e.station == which; });
    }
    mac_table::outcome learn(mac_address which, switch_port port) {
        const auto found = lookup(which);
        if (found != entries.end()) {
            const bool moved = found->port != port;
            found->port = port;
            entries.splice(entries.begin(), entries, found);
            return moved ? mac_table::outcome::moved : mac_table::outcome::known;
        }
        const bool full = entries.size() == capacity;
        if (full) {
            entries.pop_back();
        }
        entries.push_front({which, port});
        return full ? mac_table::outcome::evicted : mac_table::outcome::added;
    }
};

void compare_tables(fuzz::input input) {
    mac_table table(capacity);
    simple_table simple;
    while (!input.empty()) {
        const auto decision = input.byte();
        const auto which = station(input.byte() % 16);
        const switch_port port = decision / 8U % 4U;
        if (decision % 8 == 0) {
            table.forget(port);
            simple.entries.remove_if([&](const auto& e) { return e.port == port; });
        } else if (decision % 64 == 1) {
            table.clear();
            simple.entries.clear();
        } else {
            fuzz::require(table.learn(which, port) == simple.learn(which, port), "both learn the same");
        }
        const auto asked = station(input.byte() % 16);
        const auto expected = simple.lookup(asked);
        const auto found = table.find(asked);
        fuzz::require(found.has_value() == (expected != simple.entries.end()), "both know the same stations");
        fuzz::require(!found || *found == expected->port, "at the same ports");
        fuzz::require(table.size() == simple.entries.size(), "both are as large");
    }
}

void check_switch(fuzz::input input) {
    learning_switch bridge(capacity);
    std::set<switch_port> ports;
    std::uint64_t frames = 0;
    while (!input.empty()) {
        const auto decision = input.byte();
        const switch_port port = decision / 8U % 8U;
        if (decision % 8 == 0) {
            bridge.add_port(port);
            ports.insert(port);
        } else if (decision % 8 == 1) {
            bridge.remove_port(port);
            ports.erase(port);
        } else {
            const frame_view frame(input.bytes(input.byte() % 20));
            ++frames;
            std::set<switch_port> out;
            for (const auto each : bridge.decide(port, frame)) {
                fuzz::require(out.insert(each).second, "a frame leaves a port once");
                fuzz::require(each != port, "and not where it came from");
                fuzz::require(ports.contains(each), "but where somebody is");
            }
        }
        const auto& counters = bridge.counters();
        fuzz::require(counters.unicast + counters.flooded + counters.filtered + counters.runts == frames,
                      "every frame is counted");
        fuzz::require(bridge.stations() <= capacity, "the table is bounded");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    compare_tables(fuzz::input(data, size));
    check_switch(fuzz::input(data, size));
    return 0;
}
