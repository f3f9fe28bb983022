// SPDX-License-Identifier: BSL-1.0
// What each measure of docs/images.md saves: a web server's boot to multi-user.target with everything in place, and
// with one measure at a time undone. Interleaved; besides the time on the clock it counts QEMU's processor time, which
// other load on the host hardly changes.
//
// usage: tuning DESCRIPTORS (a folder with tuning-*.image.json, of which tuning-all has every measure)

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <boost/json.hpp>

#include <vmdsl/detail/network_core.hpp>
#include <vmdsl/detail/network_runtime.hpp>
#include <vmdsl/guest.hpp>

#include "figures.hpp"

using namespace vmdsl;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

struct variant {
    std::string undone;
    machine_plan machine;
    bench::samples seconds;
    bench::samples processor_seconds;
};

variant make_variant(const std::string& undone, const std::string& image) {
    machine_plan machine;
    machine.name = "machine";
    machine.image = image;
    machine.memory_bytes = 512ULL << 20;
    machine.segments = {"lan"};
    return {undone, machine, bench::samples(undone), bench::samples(undone + " (cpu)")};
}

/// The image without one word of its kernel's command line, as a descriptor of its own.
std::string without_kernel_argument(const fs::path& all, const fs::path& folder, const std::string& word) {
    std::ifstream in(all);
    auto descriptor = boost::json::parse(in).as_object();
    auto& words = descriptor.at("kernel_arguments").as_array();
    const auto found = std::find(words.begin(), words.end(), boost::json::value(word));
    if (found == words.end()) {
        throw usage_error("the images' kernel command line has no " + word);
    }
    words.erase(found);
    const std::string name = "tuning-without-" + word.substr(0, word.find_first_of("=."));
    descriptor["name"] = name;
    std::ofstream(folder / (name + ".image.json")) << boost::json::serialize(descriptor);
    return name;
}

std::vector<variant> all_variants(const fs::path& images, const fs::path& own_images) {
    std::vector<variant> variants{make_variant("nothing", "tuning-all")};
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(images)) {
        const auto name = file.path().filename().string();
        if (name.starts_with("tuning-") && name.ends_with(".image.json") && !name.starts_with("tuning-all.")) {
            names.push_back(name.substr(0, name.find('.')));
        }
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
        variants.push_back(make_variant(name.substr(std::string("tuning-").size()), name));
    }
    for (const auto* word :
         {"mitigations=off", "cryptomgr.notests", "init_on_alloc=0", "no_timer_check", "tsc=nowatchdog", "quiet"}) {
        variants.push_back(
            make_variant(word, without_kernel_argument(images / "tuning-all.image.json", own_images, word)));
    }
    variants.push_back(make_variant("-cpu Nehalem (max instead)", "tuning-all"));
    variants.back().machine.qemu_arguments = {"-cpu", "max"};
    return variants;
}

double processor_seconds_of_children() {
    rusage used{};
    ::getrusage(RUSAGE_CHILDREN, &used);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

void boot(variant& one) {
    const auto before = processor_seconds_of_children();
    {
        detail::network_core network({{"lan"}, {one.machine}});
        one.seconds.add(bench::seconds_of([&] {
            network.start(5min, source_location::current());
            guest(network, 0).wait_for_unit("multi-user.target");
        }));
    }
    one.processor_seconds.add(processor_seconds_of_children() - before);
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: tuning DESCRIPTORS\n");
        return 64;
    }
    std::string pattern = (fs::temp_directory_path() / "vmdsl-tuning.XXXXXX").string();
    const char* made = ::mkdtemp(pattern.data());
    if (made == nullptr) {
        throw could_not_run("can't make a temporary folder like " + pattern);
    }
    const fs::path own_images = made;
    ::setenv("VMDSL_IMAGE_PATH", (own_images.string() + ":" + argv[1]).c_str(), 1);
    auto variants = all_variants(argv[1], own_images);
    boot(variants.front());  // files into the page cache
    variants.front() = make_variant("nothing", "tuning-all");
    constexpr int rounds = 3;
    for (int round = 0; round < rounds; ++round) {
        for (auto& one : variants) {
            boot(one);
        }
        std::fprintf(stderr, "round %d of %d done\n", round + 1, rounds);
    }
    fs::remove_all(own_images);
    const auto& all = variants.front();
    std::printf("%-34s %9s %9s %9s %9s\n", "undone", "boot s", "saved s", "cpu s", "saved cpu");
    std::vector<std::pair<std::string, double>> figures;
    for (const auto& one : variants) {
        const double saved = one.processor_seconds.median() - all.processor_seconds.median();
        std::printf("%-34s %9.2f %9.2f %9.2f %9.2f\n", one.undone.c_str(), one.seconds.median(),
                    one.seconds.median() - all.seconds.median(), one.processor_seconds.median(), saved);
        figures.emplace_back(&one == &all ? "all_cpu_s" : "saved_cpu_s_" + one.undone,
                             &one == &all ? all.processor_seconds.median() : saved);
    }
    bench::print_json(figures);
} catch (const std::exception& problem) {
    std::fprintf(stderr, "tuning: %s\n", problem.what());
    return 69;
}
